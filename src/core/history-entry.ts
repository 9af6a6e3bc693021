import type { BigLoss } from "./big-losses.ts";
import type { Cause } from "./causes.ts";
import type { Outcome, PassRecord } from "./outcome.ts";

/** A configuration that HAProxy was proven to run, with what led to it. Its text is kept beside it. */
export interface HistoryEntry {
  /** Counts on over restarts. */
  readonly number: number;
  /** When HAProxy was proven to run it, in milliseconds since the epoch. */
  readonly atMs: number;
  /** How many passes since the entry before; those within a second share one entry. */
  readonly passes: number;
  readonly reloads: number;
  readonly servers: number;
  readonly revision: string | null;
  /** At most 20; `moreCauses` counts the others. */
  readonly causes: readonly Cause[];
  readonly moreCauses: number;
  /** Why reloads were needed, in words; at most 5. */
  readonly reasons: readonly string[];
  readonly losses: readonly BigLoss[];
  /** The entry that it was rolled back to; null = none. */
  readonly rolledBackTo: number | null;
}

/** What one pass adds. */
export interface Applied {
  readonly record: PassRecord;
  readonly causes: readonly Cause[];
  readonly moreCauses: number;
  readonly losses: readonly BigLoss[];
  readonly rolledBackTo: number | null;
}

const MAX_CAUSES = 20;
const MAX_REASONS = 5;

/** Adds a pass to the entry that is being made; null = it is the first of that entry. */
export function withPass(
  entry: Omit<HistoryEntry, "number"> | null,
  given: Applied,
): Omit<HistoryEntry, "number"> {
  const { record, losses, rolledBackTo } = given;
  const outcome = appliedOf(record.outcome);
  const causes = [...(entry?.causes ?? []), ...given.causes];
  const reasons = new Set([
    ...(entry?.reasons ?? []),
    ...outcome.reasons.map(({ section, what }) => `${section} ${what}`.trim()),
  ]);
  return {
    atMs: record.atMs + record.durationMs,
    passes: (entry?.passes ?? 0) + 1,
    reloads: (entry?.reloads ?? 0) + (outcome.way === "reload" ? 1 : 0),
    servers: outcome.servers,
    revision: outcome.revision,
    causes: causes.slice(0, MAX_CAUSES),
    moreCauses: (entry?.moreCauses ?? 0) + given.moreCauses + Math.max(0, causes.length - MAX_CAUSES),
    reasons: [...reasons].slice(0, MAX_REASONS),
    losses: [...(entry?.losses ?? []), ...losses],
    rolledBackTo,
  };
}

function appliedOf(outcome: Outcome): Extract<Outcome, { kind: "applied" }> {
  if (outcome.kind !== "applied") throw new Error("only what was applied has a place in the history");
  return outcome;
}

/** `etcd /app/servers/web1 (4711): added webserver/web1 10.0.0.5:80` */
export function causeText({ kind, backend, name, source, id, revision, what }: Cause): string {
  const entry = revision === "" || source !== "etcd" ? `${source} ${id}` : `${source} ${id} (${revision})`;
  return `${entry}: ${kind} ${backend}/${name}${what === "" ? "" : ` ${what}`}`;
}

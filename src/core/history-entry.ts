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

/** An entry that is being made, without its number. */
export type OpenEntry = Omit<HistoryEntry, "number">;

/** Adds a pass to the entry that is being made; null = it is the first of that entry. */
export function withPass(entry: OpenEntry | null, given: Applied): OpenEntry {
  const { record, causes, moreCauses, losses, rolledBackTo } = given;
  const { way, reasons, servers, revision } = appliedOf(record.outcome);
  const made = joinEntries(NOTHING, {
    atMs: record.atMs + record.durationMs,
    passes: 1,
    reloads: way === "reload" ? 1 : 0,
    servers,
    revision,
    causes,
    moreCauses,
    reasons: reasons.map(({ section, what }) => `${section} ${what}`.trim()),
    losses,
    rolledBackTo,
  });
  return entry === null ? made : joinEntries(entry, made);
}

const NOTHING: OpenEntry = {
  atMs: 0,
  passes: 0,
  reloads: 0,
  servers: 0,
  revision: null,
  causes: [],
  moreCauses: 0,
  reasons: [],
  losses: [],
  rolledBackTo: null,
};

/** One entry of two that follow each other. */
export function joinEntries(before: OpenEntry, after: OpenEntry): OpenEntry {
  const causes = [...before.causes, ...after.causes];
  const moreCauses = before.moreCauses + after.moreCauses + Math.max(0, causes.length - MAX_CAUSES);
  return {
    ...after,
    passes: before.passes + after.passes,
    reloads: before.reloads + after.reloads,
    causes: causes.slice(0, MAX_CAUSES),
    moreCauses,
    reasons: [...new Set([...before.reasons, ...after.reasons])].slice(0, MAX_REASONS),
    losses: [...before.losses, ...after.losses].slice(0, MAX_CAUSES),
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

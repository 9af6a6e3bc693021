import type { Outcome } from "../core/outcome.ts";
import { oldWorkers } from "../core/old-workers.ts";
import type { SourceState, Status } from "../core/status.ts";
import { age } from "./age.ts";
import { sentence } from "./sentence.ts";
import { type Spell, spell } from "./spell.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready, one sentence each; empty when it is. */
  readonly reasons: readonly string[];
  /** What deserves a look although it need not stop anything, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Ready means: HAProxy answers, and it is proven to run what Rollcall rendered. Later trouble (a source that is down,
 * a candidate that HAProxy refuses) leaves HAProxy serving what it has, so it is a note: taking a load balancer out
 * for it would turn a trouble of the control plane into an outage.
 */
export function readiness(status: Status): Readiness {
  const failure = spell(status, ["refused", "failed"]);
  const wait = spell(status, ["waiting"]);
  const atGate = status.applied === null ? wait : null;
  const reasons = [haproxyReason(status), proofReason(status, { failure, atGate })].filter(isText);
  const notes = [
    ...status.sources.map((source) => sourceNote(source, { nowMs: status.nowMs, atGate: atGate !== null })),
    status.applied === null || failure === null ? null : failureNote(failure, status.nowMs),
    status.applied === null || wait === null
      ? null
      : `Nothing new was applied for ${age(status.nowMs - wait.sinceMs)}: ${wait.outcome.reason}`,
    pinNote(status),
    stateNote(status),
    deferredNote(status),
    heldNote(status),
    oldWorkers(status.haproxy.workers)?.what ?? null,
    quarantineNote(status),
  ].filter(isText);
  return { ready: reasons.length === 0, reasons: reasons.map(sentence), notes: notes.map(sentence) };
}

type Failure = Spell<"refused" | "failed">;

function haproxyReason({ haproxy, nowMs }: Status): string | null {
  return haproxy.pid === null ? `HAProxy has not answered for ${age(nowMs - haproxy.sinceMs)}` : null;
}

function proofReason(
  status: Status,
  why: { failure: Failure | null; atGate: Spell<"waiting"> | null },
): string | null {
  const { applied, nowMs, startedAtMs } = status;
  if (applied !== null) return null;
  const { failure, atGate } = why;
  if (atGate !== null) {
    return `Nothing was applied yet, waiting for ${age(nowMs - atGate.sinceMs)}: ${atGate.outcome.reason}`;
  }
  if (failure !== null) {
    return `It is not proven what HAProxy runs, ${ending(failure.outcome)} for ${age(nowMs - failure.sinceMs)}: ${failure.outcome.reason}`;
  }
  const since = `started ${age(nowMs - startedAtMs)} ago`;
  return status.lastPass === null
    ? `Nothing is proven to run yet, the first pass has not ended (${since})`
    : `Nothing is proven to run yet (${since})`;
}

function failureNote({ outcome, sinceMs }: Failure, nowMs: number): string {
  return `HAProxy goes on with what it has, ${ending(outcome)} for ${age(nowMs - sinceMs)}: ${outcome.reason}`;
}

const ending = (outcome: Extract<Outcome, { kind: "refused" | "failed" }>): string =>
  outcome.kind === "refused"
    ? `the candidate is refused at ${outcome.stage}`
    : `${outcome.stage} has been failing`;

/** `atGate`: the wait for sources without a picture is told already. */
function sourceNote(
  source: SourceState,
  { nowMs, atGate }: { nowMs: number; atGate: boolean },
): string | null {
  const { name, state, sinceMs, error, snapshot, publishedAtMs, isRecalled } = source;
  const why = error === null ? "" : ` (${error})`;
  if (isRecalled && !atGate && publishedAtMs !== null)
    return `Source ${name} has not answered for ${age(nowMs - sinceMs)}${why}; what is known of it is ${age(nowMs - publishedAtMs)} old, from the state folder`;
  if (state === "live" || (state === "starting" && atGate)) return null;
  // Not there is no trouble where it need not be; there and out of reach is.
  if (state === "absent" && error === null) return null;
  if (state === "starting" || state === "absent")
    return `Source ${name} has not answered for ${age(nowMs - sinceMs)}${why}`;
  const picture =
    snapshot === null || publishedAtMs === null
      ? "it has no picture yet"
      : `its last picture stands, ${age(nowMs - publishedAtMs)} old, revision ${snapshot.revision}`;
  return `Source ${name} has been down for ${age(nowMs - sinceMs)}${why}; ${picture}`;
}

function pinNote({ pin, nowMs }: Status): string | null {
  if (pin === null) return null;
  return `Rolled back to entry ${pin.entry} of the history, ${age(nowMs - pin.sinceMs)} ago: changes of the sources are not applied until "rollcall rollback --release"`;
}

function stateNote({ stateTrouble, nowMs }: Status): string | null {
  if (stateTrouble === null) return null;
  const { reason, sinceMs } = stateTrouble;
  return `What is to be remembered could not be written for ${age(nowMs - sinceMs)}, HAProxy is not touched by that: ${reason}`;
}

function deferredNote({ lastPass, nowMs }: Status): string | null {
  if (lastPass?.outcome.kind !== "deferred") return null;
  const [first] = lastPass.outcome.reasons;
  const what = first === undefined ? "" : `: ${`${first.section} ${first.what}`.trim()}`;
  return `A reload waits for the end of the reload interval, since ${age(nowMs - lastPass.atMs)}${what}`;
}

/** Names no more servers than somebody reads. */
const FEW_NAMES = 5;

function heldNote({ held, nowMs }: Status): string | null {
  const [first] = held.toSorted((a, b) => a.untilMs - b.untilMs);
  if (first === undefined) return null;
  const names = held.slice(0, FEW_NAMES).map(({ server }) => `${server.backend}/${server.name}`);
  const more = held.length > names.length ? ` and ${held.length - names.length} more` : "";
  const forTime = `for ${age(first.untilMs - nowMs)} at most`;
  const what =
    held.length === 1
      ? `1 server vanished and is held while HAProxy's check sees it up, ${forTime}`
      : `${held.length} servers vanished and are held while HAProxy's checks see them up, the first ${forTime}`;
  return `${what}: ${names.join(", ")}${more}`;
}

function quarantineNote({ roster }: Status): string | null {
  const bySource = new Map<string, number>();
  for (const { origin } of roster?.quarantined ?? [])
    bySource.set(origin.source, (bySource.get(origin.source) ?? 0) + 1);
  if (bySource.size === 0) return null;
  const counts = [...bySource].map(([source, count]) => `${source} ${count}`);
  return `Entries are quarantined and not served: ${counts.join(", ")}`;
}

const isText = (text: string | null): text is string => text !== null;

import type { Outcome, PassRecord } from "../core/outcome.ts";
import type { Status } from "../core/status.ts";

/** Passes that ended alike, one after the other, up to now. */
export interface Spell<Kind extends Outcome["kind"]> {
  /** How the latest of them ended. */
  readonly outcome: Extract<Outcome, { kind: Kind }>;
  /** When the first of them began, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/**
 * How it stands, if the latest pass that decided something ended as one of `kinds`; else null. A pass that put its
 * reload off decided nothing and is looked through.
 *
 * The status leaves out passes that were `unchanged` and retries that ended like the one before, so a gap in the
 * numbers may hide a success: where a reason changed across a gap, the spell is counted from the later reason.
 */
export function spell<Kind extends Outcome["kind"]>(
  status: Status,
  kinds: readonly Kind[],
): Spell<Kind> | null {
  const isOfKind = (outcome: Outcome): outcome is Extract<Outcome, { kind: Kind }> =>
    kinds.some((kind) => kind === outcome.kind);
  const { lastPass, passes } = status;
  if (lastPass === null) return null;
  let found: Spell<Kind> | null = isOfKind(lastPass.outcome)
    ? { outcome: lastPass.outcome, sinceMs: lastPass.atMs }
    : null;
  if (found === null && lastPass.outcome.kind !== "deferred") return null;
  let later: PassRecord = lastPass;
  for (const record of passes) {
    const { outcome, atMs } = record;
    const follows = later.pass - record.pass <= 1 || sameReason(found?.outcome, outcome);
    if (!follows || !(isOfKind(outcome) || outcome.kind === "deferred")) break;
    if (isOfKind(outcome)) found = { outcome: found?.outcome ?? outcome, sinceMs: atMs };
    later = record;
  }
  return found;
}

function sameReason(a: Outcome | undefined, b: Outcome): boolean {
  if (a === undefined || !("reason" in a) || !("reason" in b)) return false;
  return a.kind === b.kind && a.reason === b.reason;
}

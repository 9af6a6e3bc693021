import type { Outcome, PassRecord } from "./core/outcome.ts";
import { backoff } from "./lib/backoff.ts";
import type { DirtyFlag } from "./lib/dirty-flag.ts";
import type { Logger } from "./lib/logger.ts";
import type { Reconciler } from "./reconcile.ts";

/** What the loop needs of the world; all times are in milliseconds. */
export interface LoopOptions {
  readonly reconciler: Reconciler;
  /** Poked by whatever may have changed what is wanted, or what HAProxy runs. */
  readonly changed: DirtyFlag;
  /** From when on sources that never answered are not waited for, by `monotonicMs`. */
  readonly gateOpensAtMs: number;
  readonly log: Logger;
  /** A clock that never jumps, for everything that is waited for. */
  readonly monotonicMs: () => number;
  /** The time of day, for the records. */
  readonly now: () => number;
  readonly onPass: (record: PassRecord) => void;
}

/** After changes that came during a pass, more may follow: quiet is waited for, but never longer than the maximum. */
const QUIET_MS = 5;
const MAX_SETTLE_MS = 250;
/** How often what runs is compared with what should, though nothing seems to have happened. */
const DRIFT_MS = 60_000;

/**
 * The one loop, until `signal` aborts: wait, settle, pass, record. One pass at a time; whatever changes meanwhile sets
 * one flag, and costs exactly one more pass. A pass that has begun is finished.
 */
export async function loop(options: LoopOptions, signal: AbortSignal): Promise<void> {
  const { reconciler, changed, log, monotonicMs } = options;
  /** How soon to try again: while HAProxy does not answer, and when only new input is likely to help. */
  const soon = backoff({ firstMs: 100, maxMs: 2000 });
  const later = backoff({ firstMs: 1000, maxMs: 60_000 });
  const reaps = backoff({ firstMs: 100, maxMs: 2000 });
  const tell = teller(log);
  let passes = 0;
  let retryAt = options.gateOpensAtMs;
  let driftAt = monotonicMs() + DRIFT_MS;

  async function settle(): Promise<void> {
    const since = monotonicMs();
    while (monotonicMs() - since < MAX_SETTLE_MS && (await changed.wait(signal, QUIET_MS)) === "poked");
  }

  /** When servers that are leaving are looked after. */
  function nextReap(): number {
    if (reconciler.isLeaving()) return monotonicMs() + reaps.next();
    reaps.reset();
    return Infinity;
  }

  function nextTry(outcome: Outcome): number {
    switch (outcome.kind) {
      case "deferred":
        return reconciler.notBeforeMs();
      case "refused":
        return monotonicMs() + later.next();
      case "failed":
        if (outcome.stage === "reload" && !outcome.unreachable) return reconciler.notBeforeMs();
        return monotonicMs() + (outcome.unreachable ? soon : later).next();
      case "waiting":
        return monotonicMs() < options.gateOpensAtMs ? options.gateOpensAtMs : Infinity;
      case "applied":
      case "unchanged":
        soon.reset();
        later.reset();
        return Infinity;
    }
  }

  changed.poke();
  while (!signal.aborted) await turn();
  await reconciler.flush();

  async function turn(): Promise<void> {
    // A change that comes between two passes goes out at once; those that came during one wait for each other.
    const isBurst = changed.isSet();
    const woken = await changed.wait(signal, Math.max(0, Math.min(retryAt, driftAt) - monotonicMs()));
    if (woken === "aborted") return;
    if (isBurst) await settle();
    if (monotonicMs() >= driftAt) {
      reconciler.doubt();
      driftAt = monotonicMs() + DRIFT_MS;
    }
    const [atMs, start] = [options.now(), monotonicMs()];
    const { outcome, timings, endedAtMs } = await reconciler.pass(
      log.child({ pass: ++passes }),
      changed.poked(),
    );
    retryAt = Math.min(nextTry(outcome), nextReap(), reconciler.fileDueMs());
    const record = { pass: passes, atMs, durationMs: endedAtMs - start, timings, outcome };
    tell(record);
    options.onPass(record);
  }
}

/** One line for each applied change, and one when something else begins or ends; all other passes are for debugging. */
function teller(log: Logger): (record: PassRecord) => void {
  let told = "";
  return ({ pass, durationMs, timings, outcome }) => {
    const fields = { pass, durationMs: tenth(durationMs), timings: tenths(timings), ...outcome };
    const state = `${outcome.kind} ${"reason" in outcome ? outcome.reason : ""}`;
    const [repeated, wasBad] = [state === told, /^(?:failed|refused) /.test(told)];
    if (outcome.kind !== "deferred") told = state;
    const isQuiet = outcome.kind === "unchanged" || outcome.kind === "deferred";
    if (outcome.kind === "applied") log.info(fields, "applied");
    else if (outcome.kind === "unchanged" && wasBad) log.info(fields, "in order again");
    else if (repeated || isQuiet) log.debug(fields, "pass");
    else if (outcome.kind === "waiting") log.info(fields, "waiting, HAProxy goes on with what it has");
    else if (outcome.kind === "failed" && outcome.unreachable)
      log.error(fields, "failed, HAProxy does not answer");
    else log.error(fields, `${outcome.kind}, HAProxy goes on with what it has`);
  };
}

const tenth = (ms: number): number => Math.round(ms * 10) / 10;
const tenths = (timings: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, tenth(ms)]));

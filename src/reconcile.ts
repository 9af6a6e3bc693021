import { appliedOutcome } from "./core/applied-outcome.ts";
import type { Outcome, StageTimings, Stopwatch } from "./core/outcome.ts";
import { type Roster, rosterBuilder } from "./core/roster.ts";
import type { Stamped } from "./core/stamp.ts";
import { type Reason, structure } from "./core/structure.ts";
import type { Board } from "./discovery/board.ts";
import { knownHaproxy, type Turn } from "./known-haproxy.ts";
import { type Applied, describeFailure, type Haproxy } from "./haproxy/haproxy.ts";
import { backoff } from "./lib/backoff.ts";
import { messageOf } from "./lib/errors.ts";
import type { Logger } from "./lib/logger.ts";
import type { SecondOpinion } from "./second-opinion.ts";
import { withVanished } from "./core/with-held.ts";
import { startGate } from "./start-gate.ts";

/** What a pass needs of the world; all times are in milliseconds. */
export interface ReconcileOptions {
  readonly board: Board;
  /** The snapshots as they are to be merged, with what is held in them; gets what was wanted until now. */
  readonly hold: SecondOpinion["over"];
  readonly haproxy: Haproxy;
  /** Renders a roster and stamps the text. */
  readonly render: (roster: Roster) => Promise<Stamped>;
  readonly defaultBackend: string;
  readonly reloadIntervalMs: number;
  /** The live file has followed what HAProxy runs while nobody waited for it, or failed to. */
  readonly onWritten: () => void;
  /** Whether a new server takes traffic only after its first good check. */
  readonly admitChecked: boolean;
  /** From when on something may be applied although a source never answered, by `monotonicMs`. */
  readonly gateOpensAtMs: number;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
}

/** What one pass came to. */
export interface Pass {
  readonly outcome: Outcome;
  readonly timings: StageTimings;
  /** When that was certain, by `monotonicMs`: what is done after it, for the file, does not count. */
  readonly endedAtMs: number;
}

/** Brings HAProxy from what it runs to what is wanted, one pass at a time, and alone knows what it was proven to run. */
export interface Reconciler {
  /** @param interrupted something has changed: the pass does not wait for what can go on beside the next one. */
  pass(log: Logger, interrupted: Promise<void>): Promise<Pass>;
  /** Something may have happened to HAProxy or its file behind our back: the next pass looks. */
  doubt(): void;
  /** What HAProxy is proven to run; null = not known. */
  applied(): Applied | null;
  /** What was wanted at the last pass. */
  roster(): Roster | null;
  /** Before this, by `monotonicMs`, no reload is asked for. */
  notBeforeMs(): number;
  /** Servers that were removed still have sessions: another pass is due soon. */
  isLeaving(): boolean;
  /** When the live file is to be brought up to what HAProxy runs, by `monotonicMs`; Infinity = it is. */
  fileDueMs(): number;
  /** Brings it up to date now, as far as that can be had, since no pass follows. */
  flush(): Promise<void>;
}

/** A text that HAProxy could not take, and until when nothing with the same structure is tried again. */
interface Barred {
  readonly structure: string;
  readonly untilMs: number;
  readonly outcome: Outcome;
}

/** How long HAProxy may not answer before the last good text is tried in the place of the new one, in turns. */
const TURN_MS = 10_000;

const UNKNOWN: Reason = { section: "", line: 0, what: "what HAProxy runs is not known" };

/** What two texts have in common that differ in their server lines only. */
const structureOf = ({ sections, revision }: Stamped): string => revision ?? structure(sections);

export function reconciler(options: ReconcileOptions): Reconciler {
  const { board, haproxy, monotonicMs } = options;
  const build = rosterBuilder({ defaultBackend: options.defaultBackend });
  /** A reload that HAProxy does not take may cost it two seconds: more and more time between two of them. */
  const later = backoff({ firstMs: 1000, maxMs: 60_000 });
  const known = knownHaproxy({ ...options, haproxy, monotonicMs });
  /** At first what an earlier process wanted, if that is known: what vanished since then may be held. */
  let roster = board.snapshots().length === 0 ? null : build(withVanished(board.snapshots()));
  const gate = startGate({ board, remembered: roster, opensAtMs: options.gateOpensAtMs, monotonicMs });
  let reloadedAtMs = -Infinity;
  let barred: Barred | null = null;
  let silentSinceMs = Infinity;

  async function pass(log: Logger, interrupted: Promise<void>): Promise<Pass> {
    const turn: Turn = { stopwatch: {}, interrupted, log };
    const outcome = await decide(turn);
    return { outcome, timings: turn.stopwatch, endedAtMs: turn.provenAtMs ?? monotonicMs() };
  }

  async function decide(turn: Turn): Promise<Outcome> {
    const { stopwatch, log } = turn;
    const closed = gate.closed();
    if (closed !== null) return { kind: "waiting", reason: closed };
    const candidate = await prepare(stopwatch);
    if ("kind" in candidate) return candidate;
    try {
      await haproxy.reap();
      // Also waits for a write of the file that goes on, of which the look at it must not see a half.
      if (known.isDoubted()) await known.good();
      const live = known.isDoubted() || gate.isWatching() ? await haproxy.liveText() : null;
      const held = gate.holds({ live, candidate: candidate.text });
      if (held !== null) return { kind: "waiting", reason: held };
      const mended = await known.settle(candidate, live, turn);
      const outcome = await bring(candidate, turn);
      if (outcome.kind === "applied") later.reset();
      return outcome.kind === "unchanged" && mended !== null ? mended : outcome;
    } catch (error) {
      return await failure(error, { candidate, log });
    }
  }

  /** From what HAProxy runs to the candidate. */
  async function bring(candidate: Stamped, turn: Turn): Promise<Outcome> {
    const todo = known.plan(candidate);
    if (todo.kind === "noop") {
      await known.follow(turn);
      return { kind: "unchanged" };
    }
    if (todo.kind === "runtime") {
      const outcome = await known.adjust(candidate, todo.operations, turn);
      if (outcome !== null) return outcome;
    }
    const why = known.mustReload();
    const reasons = why === null && todo.kind === "reload" ? todo.reasons : [why ?? UNKNOWN];
    const isBarred = barred !== null && monotonicMs() < barred.untilMs;
    if (isBarred && barred?.structure === structureOf(candidate)) return barred.outcome;
    if (monotonicMs() < reloadedAtMs + options.reloadIntervalMs) return { kind: "deferred", reasons };
    return await reloadTo(candidate, { reasons, stopwatch: turn.stopwatch });
  }

  async function prepare(stopwatch: Stopwatch): Promise<Stamped | Outcome> {
    const start = monotonicMs();
    roster = build(options.hold(board.snapshots(), roster));
    stopwatch.merge = monotonicMs() - start;
    try {
      return await options.render(roster);
    } catch (error) {
      return { kind: "refused", stage: "render", reason: messageOf(error) };
    } finally {
      stopwatch.render = monotonicMs() - start - stopwatch.merge;
    }
  }

  async function reloadTo(
    candidate: Stamped,
    given: { reasons: readonly Reason[]; stopwatch: Stopwatch },
  ): Promise<Outcome> {
    const [good, silentMs] = [await known.good(), monotonicMs() - silentSinceMs];
    const isGoodsTurn = silentMs > TURN_MS && Math.floor(silentMs / TURN_MS) % 2 === 1;
    const text = isGoodsTurn && good !== null ? good : candidate;
    const { reasons, stopwatch } = given;
    try {
      await known.reload(text, { isCandidate: text === candidate, stopwatch });
    } finally {
      reloadedAtMs = monotonicMs();
    }
    silentSinceMs = Infinity;
    // It is back, with the old text: now the new one can be tried without leaving it down.
    if (text !== candidate) return { kind: "deferred", reasons };
    barred = null;
    return appliedOutcome(candidate, { reasons });
  }

  async function failure(
    thrown: unknown,
    { candidate, log }: { candidate: Stamped; log: Logger },
  ): Promise<Outcome> {
    const { kind, stage, reason } = describeFailure(thrown);
    if (stage === "check" || stage === "commit") await known.takeBack(log);
    if (kind === "refused") return { kind, stage, reason };
    const outcome: Outcome = { kind: "failed", stage, reason, unreachable: kind === "unreachable" };
    // The file may have been replaced, and HAProxy may have been restarted with it.
    if (stage !== "check") known.doubt();
    if (kind === "unreachable") silentSinceMs = Math.min(silentSinceMs, monotonicMs());
    else silentSinceMs = Infinity;
    if (kind === "failed" && stage === "reload") {
      barred = {
        structure: structureOf(candidate),
        untilMs: monotonicMs() + later.next(),
        outcome,
      };
    }
    return outcome;
  }

  return {
    pass,
    doubt: () => {
      if (known.applied() !== null) known.doubt();
    },
    applied: known.applied,
    roster: () => roster,
    fileDueMs: known.fileDueMs,
    flush: known.flush,
    isLeaving: () => haproxy.leaving().size > 0,
    notBeforeMs: () => Math.max(reloadedAtMs + options.reloadIntervalMs, barred?.untilMs ?? 0),
  };
}

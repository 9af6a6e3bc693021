import { readConfig, serverLines, withoutServerLines } from "./core/haproxy-config.ts";
import type { Outcome, StageTimings, Stopwatch } from "./core/outcome.ts";
import { plan, type Reason } from "./core/plan.ts";
import { buildRoster, type Roster } from "./core/roster.ts";
import type { Stamped } from "./core/stamp.ts";
import type { Board } from "./discovery/board.ts";
import { type Applied, describeFailure, type Haproxy } from "./haproxy/haproxy.ts";
import { backoff } from "./lib/backoff.ts";
import { messageOf } from "./lib/errors.ts";
import type { Logger } from "./lib/logger.ts";
import { startGate } from "./start-gate.ts";

/** What a pass needs of the world; all times are in milliseconds. */
export interface ReconcileOptions {
  readonly board: Board;
  readonly haproxy: Haproxy;
  /** Renders a roster and stamps the text. */
  readonly render: (roster: Roster) => Promise<Stamped>;
  readonly defaultBackend: string;
  readonly reloadIntervalMs: number;
  /** From when on something may be applied although a source never answered, by `monotonicMs`. */
  readonly gateOpensAtMs: number;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
}

/** Brings HAProxy from what it runs to what is wanted, one pass at a time, and alone knows what it was proven to run. */
export interface Reconciler {
  pass(log: Logger): Promise<{ outcome: Outcome; timings: StageTimings }>;
  /** Something may have happened to HAProxy or its file behind our back: the next pass looks. */
  doubt(): void;
  /** What HAProxy is proven to run; null = not known. */
  applied(): Applied | null;
  /** What was wanted at the last pass. */
  roster(): Roster | null;
  /** Before this, by `monotonicMs`, no reload is asked for. */
  notBeforeMs(): number;
}

/** A text that HAProxy could not take, and until when nothing with the same structure is tried again. */
interface Barred {
  readonly structure: string;
  readonly untilMs: number;
  readonly outcome: Outcome;
}

/** How long HAProxy may not answer before the last good text is tried in the place of the new one, in turns. */
const TURN_MS = 10_000;

/** What two texts have in common that differ in their server lines only. */
const structureOf = ({ text, revision }: Stamped): string => revision ?? withoutServerLines(text);

export function reconciler(options: ReconcileOptions): Reconciler {
  const { board, haproxy, monotonicMs } = options;
  const gate = startGate({ board, opensAtMs: options.gateOpensAtMs, monotonicMs });
  /** A reload that HAProxy does not take may cost it two seconds: more and more time between two of them. */
  const later = backoff({ firstMs: 1000, maxMs: 60_000 });
  let roster: Roster | null = null;
  /** The last text that HAProxy was seen to run; undefined before the first look. */
  let lastGood: Applied | null | undefined;
  /** Whether it still runs it. */
  let known: "yes" | "no" | "doubted" = "doubted";
  let reloadedAtMs = -Infinity;
  let barred: Barred | null = null;
  let silentSinceMs = Infinity;
  /** The text that was last made the live file, or meant to be. */
  let tried = "";

  const applied = (): Applied | null => (known === "no" ? null : (lastGood ?? null));

  async function pass(log: Logger): Promise<{ outcome: Outcome; timings: StageTimings }> {
    const timings: Stopwatch = {};
    return { outcome: await decide(timings, log), timings };
  }

  async function decide(stopwatch: Stopwatch, log: Logger): Promise<Outcome> {
    const closed = gate.closed();
    if (closed !== null) return { kind: "waiting", reason: closed };
    const candidate = await prepare(stopwatch);
    if ("kind" in candidate) return candidate;
    try {
      const live = await haproxy.liveText();
      const held = gate.holds({ live, candidate: candidate.text });
      if (held !== null) return { kind: "waiting", reason: held };
      await settleDoubts(live, log);
      const todo = plan({ applied: applied()?.text ?? null, candidate: candidate.text });
      if (todo.kind === "noop") return { kind: "unchanged" };
      const isBarred = barred !== null && monotonicMs() < barred.untilMs;
      if (isBarred && barred?.structure === structureOf(candidate)) return barred.outcome;
      if (monotonicMs() < reloadedAtMs + options.reloadIntervalMs)
        return { kind: "deferred", reasons: todo.reasons };
      return await reloadTo(candidate, { reasons: todo.reasons, stopwatch });
    } catch (error) {
      return failure(error, candidate);
    }
  }

  async function prepare(stopwatch: Stopwatch): Promise<Stamped | Outcome> {
    const start = monotonicMs();
    roster = buildRoster(board.snapshots(), { defaultBackend: options.defaultBackend });
    stopwatch.merge = monotonicMs() - start;
    try {
      return await options.render(roster);
    } catch (error) {
      return { kind: "refused", stage: "render", reason: messageOf(error) };
    } finally {
      stopwatch.render = monotonicMs() - start - stopwatch.merge;
    }
  }

  /** Where it is not sure what HAProxy runs, looks at its file and asks it. */
  async function settleDoubts(live: string | null, log: Logger): Promise<void> {
    if (known !== "doubted") return;
    lastGood ??= await recall();
    if (lastGood === null) {
      known = "no";
      return;
    }
    const isLive = live === lastGood.text;
    const isOurs = isLive || live === tried;
    const seen = isLive ? await haproxy.verify(lastGood).catch(() => null) : null;
    if (seen?.difference === null) [lastGood, known] = [{ ...lastGood, pid: seen.info.pid }, "yes"];
    else known = "no";
    const difference = isOurs ? seen?.difference : "its file was changed by somebody else";
    if (difference !== null && difference !== undefined && lastGood.pid !== 0) {
      log.warn({ difference }, "HAProxy does not run what it should");
    }
  }

  /** The text that an earlier Rollcall saw running. */
  async function recall(): Promise<Applied | null> {
    const good = await haproxy.goodText();
    return good === null ? null : { ...good, pid: 0 };
  }

  async function reloadTo(
    candidate: Stamped,
    given: { reasons: readonly Reason[]; stopwatch: Stopwatch },
  ): Promise<Outcome> {
    const [good, silentMs] = [lastGood ?? null, monotonicMs() - silentSinceMs];
    const isGoodsTurn = silentMs > TURN_MS && Math.floor(silentMs / TURN_MS) % 2 === 1;
    const text = isGoodsTurn && good !== null ? good : candidate;
    tried = text.text;
    try {
      lastGood = await haproxy.reloadTo(text, { lastGood: good, stopwatch: given.stopwatch });
    } finally {
      reloadedAtMs = monotonicMs();
    }
    [known, silentSinceMs] = ["yes", Infinity];
    // It is back, with the old text: now the new one can be tried without leaving it down.
    if (text !== candidate) return { kind: "deferred", reasons: given.reasons };
    barred = null;
    later.reset();
    const servers = serverLines(readConfig(candidate.text)).length;
    return { kind: "applied", way: "reload", reasons: given.reasons, revision: candidate.revision, servers };
  }

  function failure(error: unknown, candidate: Stamped): Outcome {
    const { kind, stage, reason } = describeFailure(error);
    if (kind === "refused") return { kind, stage, reason };
    const outcome: Outcome = { kind: "failed", stage, reason, unreachable: kind === "unreachable" };
    // The file may have been replaced, and HAProxy may have been restarted with it.
    if (stage !== "check") known = "doubted";
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
      if (known === "yes") known = "doubted";
    },
    applied,
    roster: () => roster,
    notBeforeMs: () => Math.max(reloadedAtMs + options.reloadIntervalMs, barred?.untilMs ?? 0),
  };
}

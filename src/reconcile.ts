import { readConfig, serverLines } from "./core/haproxy-config.ts";
import type { Outcome, StageTimings, Stopwatch } from "./core/outcome.ts";
import { plan, type Reason } from "./core/plan.ts";
import { buildRoster, type Roster } from "./core/roster.ts";
import type { Board } from "./discovery/board.ts";
import { type Applied, type Candidate, describeFailure, type Haproxy } from "./haproxy/haproxy.ts";
import { messageOf } from "./lib/errors.ts";
import type { Logger } from "./lib/logger.ts";

/** What a pass needs of the world; all times are in milliseconds. */
export interface ReconcileOptions {
  readonly board: Board;
  readonly haproxy: Haproxy;
  /** Renders a roster and writes the revision into it. */
  readonly render: (roster: Roster) => Promise<Candidate>;
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
  /** Something may have happened to HAProxy behind our back: the next pass asks it. */
  doubt(): void;
  /** What HAProxy is proven to run; null = not known. */
  applied(): Applied | null;
  /** What was wanted at the last pass. */
  roster(): Roster | null;
  /** When the last reload was over, by `monotonicMs`. */
  reloadedAtMs(): number;
}

export function reconciler(options: ReconcileOptions): Reconciler {
  const { board, haproxy, monotonicMs } = options;
  let roster: Roster | null = null;
  /** The last text that HAProxy was seen to run. */
  let lastGood: Applied | null = null;
  /** Whether it still runs it. */
  let known: "yes" | "no" | "doubted" = "no";
  let reloadedAtMs = -Infinity;

  const applied = (): Applied | null => (known === "no" ? null : lastGood);

  async function pass(log: Logger): Promise<{ outcome: Outcome; timings: StageTimings }> {
    const timings: Stopwatch = {};
    return { outcome: await decide(timings, log), timings };
  }

  async function decide(timings: Stopwatch, log: Logger): Promise<Outcome> {
    const missing = board.missing();
    if (missing.length > 0 && monotonicMs() < options.gateOpensAtMs)
      return { kind: "waiting", reason: whyMissing() };
    const candidate = await prepare(timings);
    if ("kind" in candidate) return candidate;
    const lost = missing.length > 0 ? await wouldRemove(candidate.text) : [];
    if (lost.length > 0) {
      return {
        kind: "waiting",
        reason: `${whyMissing()}; without it these would be removed: ${lost.join(", ")}`,
      };
    }
    try {
      await settleDoubts(log);
      const todo = plan({ applied: applied()?.text ?? null, candidate: candidate.text });
      if (todo.kind === "noop") return { kind: "unchanged" };
      const tooEarly = monotonicMs() < reloadedAtMs + options.reloadIntervalMs;
      if (tooEarly) return { kind: "deferred", reasons: todo.reasons };
      return await reloadTo(candidate, { reasons: todo.reasons, stopwatch: timings });
    } catch (error) {
      const { kind, stage, reason } = describeFailure(error);
      if (kind === "refused") return { kind, stage, reason };
      return { kind: "failed", stage, reason, unreachable: kind === "unreachable" };
    }
  }

  async function prepare(timings: Stopwatch): Promise<Candidate | Outcome> {
    const start = monotonicMs();
    roster = buildRoster(board.snapshots(), { defaultBackend: options.defaultBackend });
    timings.merge = monotonicMs() - start;
    try {
      return await options.render(roster);
    } catch (error) {
      return { kind: "refused", stage: "render", reason: messageOf(error) };
    } finally {
      timings.render = monotonicMs() - start - timings.merge;
    }
  }

  async function reloadTo(
    candidate: Candidate,
    given: { reasons: readonly Reason[]; stopwatch: Stopwatch },
  ): Promise<Outcome> {
    try {
      lastGood = await haproxy.reloadTo(candidate, { lastGood, stopwatch: given.stopwatch });
      known = "yes";
    } catch (error) {
      // Once the file was replaced, a HAProxy that restarts takes the new text: what it runs is not known any more.
      if (describeFailure(error).stage !== "check") known = "no";
      throw error;
    } finally {
      reloadedAtMs = monotonicMs();
    }
    const servers = serverLines(readConfig(candidate.text)).length;
    return { kind: "applied", way: "reload", reasons: given.reasons, revision: candidate.revision, servers };
  }

  /** Where it is not sure what HAProxy runs, asks it. */
  async function settleDoubts(log: Logger): Promise<void> {
    const settled = known === "no" && lastGood === null ? await haproxy.settled() : null;
    if (settled !== null) {
      // We have just started; a text that was proven before and not replaced since needs only to be seen running.
      const { info, difference } = await haproxy.verify(settled);
      if (difference === null) [lastGood, known] = [{ ...settled, pid: info.pid }, "yes"];
    } else if (known === "doubted" && lastGood !== null) {
      const { info, difference } = await haproxy.verify(lastGood);
      if (difference === null) [lastGood, known] = [{ ...lastGood, pid: info.pid }, "yes"];
      else known = "no";
      if (difference !== null)
        log.warn({ difference, worker: info.pid }, "HAProxy does not run what it should");
    }
  }

  /** Servers of the live file that the candidate lacks: a source that never answered may be the one that had them. */
  async function wouldRemove(text: string): Promise<readonly string[]> {
    const names = (config: string): string[] =>
      serverLines(readConfig(config)).map((server) => `${server.backend}/${server.name}`);
    const wanted = new Set(names(text));
    return names((await haproxy.liveText()) ?? "").filter((name) => !wanted.has(name));
  }

  const whyMissing = (): string =>
    board
      .missing()
      .map(({ name, error }) => `${name} has not answered yet${error === null ? "" : ` (${error})`}`)
      .join("; ");

  return {
    pass,
    doubt: () => {
      if (known === "yes") known = "doubted";
    },
    applied,
    roster: () => roster,
    reloadedAtMs: () => reloadedAtMs,
  };
}

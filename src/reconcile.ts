import { abilitiesOf } from "./core/abilities.ts";
import { appliedOutcome } from "./core/applied-outcome.ts";
import type { Operation } from "./core/operation.ts";
import type { Outcome, StageTimings, Stopwatch } from "./core/outcome.ts";
import { type Plan, plan } from "./core/plan.ts";
import { type Roster, rosterBuilder } from "./core/roster.ts";
import type { Stamped } from "./core/stamp.ts";
import { type Reason, structure } from "./core/structure.ts";
import type { Board } from "./discovery/board.ts";
import { fileKeeper } from "./file-keeper.ts";
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

/** What one pass has with it. */
interface Turn {
  /** When HAProxy was proven to run what is wanted, by `monotonicMs`; the file may follow. */
  provenAtMs?: number;
  readonly stopwatch: Stopwatch;
  readonly interrupted: Promise<void>;
  readonly log: Logger;
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
  const keeper = fileKeeper({ haproxy, monotonicMs, onWritten: options.onWritten });
  /** After HAProxy did not do over its socket what it was told, only a reload helps. */
  let mustReload: Reason | null = null;
  /** After the check or the disk refused a text, the file goes first: HAProxy must not run what is taken back. */
  let isFileFirst = false;
  /** The difference for which HAProxy was reloaded last; where it is there again, another reload would not mend it. */
  let reloadedFor: string | null = null;
  /** HAProxy runs a part of what it was told last. */
  let isHalfDone = false;

  const applied = (): Applied | null => (known === "no" ? null : (lastGood ?? null));

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
      if (known === "doubted") await keeper.idle();
      const live = known === "doubted" || gate.isWatching() ? await haproxy.liveText() : null;
      const held = gate.holds({ live, candidate: candidate.text });
      if (held !== null) return { kind: "waiting", reason: held };
      const mended = await settleDoubts(candidate, live, turn);
      const outcome = await bring(candidate, turn);
      return outcome.kind === "unchanged" && mended !== null ? mended : outcome;
    } catch (error) {
      return await failure(error, { candidate, log });
    }
  }

  const planFor = (from: Applied | null, candidate: Stamped): Plan =>
    plan({
      applied: from,
      candidate,
      abilities: from === null || from.version === "" ? null : abilitiesOf(from.version),
      leaving: haproxy.leaving(),
      admitChecked: options.admitChecked,
    });

  /** From what HAProxy runs to the candidate. */
  async function bring(candidate: Stamped, turn: Turn): Promise<Outcome> {
    const { stopwatch } = turn;
    const from = applied();
    const todo = planFor(from, candidate);
    if (todo.kind === "noop") {
      await settleFile(turn);
      return { kind: "unchanged" };
    }
    if (todo.kind === "runtime" && from !== null) {
      const { operations } = todo;
      const outcome = await attempt(
        () => adjustTo(candidate, { from, operations, reasons: [] }, turn),
        turn.log,
      );
      if (outcome !== null) return outcome;
    }
    const reasons = mustReload === null && todo.kind === "reload" ? todo.reasons : [mustReload ?? UNKNOWN];
    const isBarred = barred !== null && monotonicMs() < barred.untilMs;
    if (isBarred && barred?.structure === structureOf(candidate)) return barred.outcome;
    if (monotonicMs() < reloadedAtMs + options.reloadIntervalMs) return { kind: "deferred", reasons };
    return await reloadTo(candidate, { reasons, stopwatch });
  }

  /** Null when HAProxy did not do over its socket what it was told: then it is reloaded. */
  async function attempt(work: () => Promise<Outcome>, log: Logger): Promise<Outcome | null> {
    try {
      return await work();
    } catch (error) {
      const { kind, stage, reason } = describeFailure(error);
      if (stage !== "runtime" || kind === "unreachable") throw error;
      log.warn({ reason }, "HAProxy did not do over its socket what it was told, it is reloaded");
      lose(`over the socket: ${reason}`);
      isHalfDone = true;
      return null;
    }
  }

  /** What HAProxy runs is not what it should, and only a reload helps. */
  function lose(why: string): void {
    known = "no";
    mustReload = { section: "", line: 0, what: why };
  }

  async function adjustTo(
    candidate: Stamped,
    given: { from: Applied; operations: readonly Operation[]; reasons: readonly Reason[] },
    turn: Turn,
  ): Promise<Outcome> {
    const { stopwatch } = turn;
    if (isFileFirst) {
      tried = candidate.text;
      await keeper.write(candidate, stopwatch);
    }
    lastGood = await haproxy.adjustTo(candidate, { ...given, stopwatch });
    [known, mustReload, isFileFirst, isHalfDone] = ["yes", null, false, false];
    turn.provenAtMs = monotonicMs();
    later.reset();
    await settleFile(turn);
    return appliedOutcome(candidate, given);
  }

  /** Brings the live file up to what HAProxy runs. */
  async function settleFile(turn: Turn): Promise<void> {
    if (known !== "yes" || lastGood == null) return;
    tried = lastGood.text;
    await keeper.settle(lastGood, turn);
  }

  async function prepare(stopwatch: Stopwatch): Promise<Stamped | Outcome> {
    const start = monotonicMs();
    roster = build(board.snapshots());
    stopwatch.merge = monotonicMs() - start;
    try {
      return await options.render(roster);
    } catch (error) {
      return { kind: "refused", stage: "render", reason: messageOf(error) };
    } finally {
      stopwatch.render = monotonicMs() - start - stopwatch.merge;
    }
  }

  /**
   * Where it is not sure what HAProxy runs, looks at its file and asks it. What somebody else changed over the socket
   * is mended there, and made what `target` wants where no reload is needed for that.
   * @returns what was mended; null = nothing was.
   */
  async function settleDoubts(target: Stamped, live: string | null, turn: Turn): Promise<Outcome | null> {
    if (known !== "doubted") return null;
    lastGood ??= await recall();
    const inFile = keeper.held();
    if (lastGood === null || inFile === null) {
      known = "no";
      return null;
    }
    const isLive = live === inFile.text;
    const seen = isLive ? await haproxy.look(lastGood, inFile).catch(() => null) : null;
    if (seen === null) {
      known = "no";
      if (live !== tried && !isLive) lose("its file was changed by somebody else");
    } else {
      lastGood = { ...seen.ran, pid: seen.info.pid, version: seen.info.version };
      known = "yes";
      if (seen.difference === null) reloadedFor = null;
      if (seen.difference === null || seen.difference === reloadedFor) return null;
      lose(seen.difference);
    }
    if (mustReload === null) return null;
    turn.log.warn({ difference: mustReload.what }, "HAProxy does not run what it should");
    const reasons = [mustReload];
    // The list of servers shows neither limits nor other words of a line: what would be new goes by the plan.
    const onward = planFor(lastGood, target);
    const isShown = ({ kind }: Operation): boolean => kind !== "add" && kind !== "maxconn";
    const wanted = onward.kind === "runtime" && onward.operations.every(isShown) ? target : lastGood;
    const operations = seen?.mend(wanted) ?? null;
    if (operations === null) return null;
    const change = { from: lastGood, operations, reasons };
    return attempt(() => adjustTo(wanted, change, turn), turn.log);
  }

  /** The text that an earlier Rollcall saw running. */
  async function recall(): Promise<Applied | null> {
    const good = await haproxy.goodText();
    if (good !== null) keeper.note(good);
    return good === null ? null : { ...good, pid: 0, version: "" };
  }

  async function reloadTo(
    candidate: Stamped,
    given: { reasons: readonly Reason[]; stopwatch: Stopwatch },
  ): Promise<Outcome> {
    await keeper.idle();
    const [good, silentMs] = [keeper.held() ?? lastGood ?? null, monotonicMs() - silentSinceMs];
    const isGoodsTurn = silentMs > TURN_MS && Math.floor(silentMs / TURN_MS) % 2 === 1;
    const text = isGoodsTurn && good !== null ? good : candidate;
    tried = text.text;
    try {
      lastGood = await haproxy.reloadTo(text, { lastGood: good, stopwatch: given.stopwatch });
    } finally {
      reloadedAtMs = monotonicMs();
    }
    [known, silentSinceMs] = ["yes", Infinity];
    keeper.note(lastGood);
    // It is back, with the old text: now the new one can be tried without leaving it down.
    if (text !== candidate) return { kind: "deferred", reasons: given.reasons };
    barred = null;
    reloadedFor = mustReload?.what ?? null;
    mustReload = null;
    isFileFirst = false;
    isHalfDone = false;
    later.reset();
    return appliedOutcome(candidate, { reasons: given.reasons });
  }

  /** What was changed over the socket already, and the file cannot hold, must not run either. */
  async function takeBack(log: Logger): Promise<void> {
    const [held, from] = [keeper.held(), lastGood];
    if (held !== null && from != null) await goBack(held, { from, log }).catch(() => undefined);
    isFileFirst = true;
  }

  /** To what the file holds, by the plan, since the list of servers does not show all that was changed. */
  async function goBack(held: Stamped, { from, log }: { from: Applied; log: Logger }): Promise<void> {
    const stopwatch: Stopwatch = {};
    if (known === "yes" && held.text !== from.text) {
      const todo = planFor(from, held);
      if (todo.kind !== "runtime") isHalfDone = true;
      else {
        const { operations } = todo;
        const back = async (): Promise<Outcome> => {
          lastGood = await haproxy.adjustTo(held, { from, operations, stopwatch });
          return { kind: "unchanged" };
        };
        await attempt(back, log);
      }
    }
    if (!isHalfDone) return;
    lastGood = await haproxy.reloadTo(held, { lastGood: held, stopwatch });
    reloadedAtMs = monotonicMs();
    [known, mustReload, isHalfDone] = ["yes", null, false];
  }

  async function failure(
    thrown: unknown,
    { candidate, log }: { candidate: Stamped; log: Logger },
  ): Promise<Outcome> {
    const { kind, stage, reason } = describeFailure(thrown);
    if (stage === "check" || stage === "commit") await takeBack(log);
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
    fileDueMs: () => (known === "yes" && lastGood != null ? keeper.dueMs(lastGood) : Infinity),
    flush: async () => {
      await keeper.idle();
      const isBehind = known === "yes" && lastGood != null && keeper.held()?.text !== lastGood.text;
      if (isBehind && lastGood != null) await keeper.write(lastGood, {}).catch(() => undefined);
    },
    isLeaving: () => haproxy.leaving().size > 0,
    notBeforeMs: () => Math.max(reloadedAtMs + options.reloadIntervalMs, barred?.untilMs ?? 0),
  };
}

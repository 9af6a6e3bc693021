import { abilitiesOf } from "./core/abilities.ts";
import { appliedOutcome } from "./core/applied-outcome.ts";
import type { Operation } from "./core/operation.ts";
import type { Outcome, Stopwatch } from "./core/outcome.ts";
import { type Plan, plan } from "./core/plan.ts";
import type { Stamped } from "./core/stamp.ts";
import type { Reason } from "./core/structure.ts";
import { fileKeeper } from "./file-keeper.ts";
import { type Applied, describeFailure, type Haproxy } from "./haproxy/haproxy.ts";
import type { Logger } from "./lib/logger.ts";

/** What one pass has with it. */
export interface Turn {
  readonly stopwatch: Stopwatch;
  /** Something has changed: what can go on beside the next pass is not waited for. */
  readonly interrupted: Promise<void>;
  readonly log: Logger;
  /** When HAProxy was proven to run what is wanted, by `monotonicMs`; the file may follow. */
  provenAtMs?: number;
}

/** What HAProxy is known to run, and how that becomes something else. */
export interface KnownHaproxy {
  /** What it is proven to run; null = not known. */
  applied(): Applied | null;
  /** Something may have happened to it or its file behind our back. */
  doubt(): void;
  isDoubted(): boolean;
  /**
   * Where it is not sure what HAProxy runs, looks at its file and asks it. What somebody else changed over the socket
   * is mended there, and made what `target` wants where no reload is needed for that.
   * @param live the live file; it is not looked at while all is sure.
   * @returns what was mended; null = nothing was.
   * @throws HaproxyError
   */
  settle(target: Stamped, live: string | null, turn: Turn): Promise<Outcome | null>;
  /** How to get from what it runs to the candidate. */
  plan(candidate: Stamped): Plan;
  /** Why only a reload helps, beside what the plan says; null = nothing stands against the plan. */
  mustReload(): Reason | null;
  /**
   * Carries out a plan without a reload.
   * @returns null when HAProxy did not do what it was told: then only a reload helps.
   * @throws HaproxyError
   */
  adjust(candidate: Stamped, operations: readonly Operation[], turn: Turn): Promise<Outcome | null>;
  /**
   * Brings the live file up to what HAProxy runs.
   * @throws HaproxyError when a write failed, this one or one before.
   */
  follow(turn: Turn): Promise<void>;
  /**
   * Reloads HAProxy with `text`, which is the candidate, or the last good text in its place.
   * @throws HaproxyError
   */
  reload(text: Stamped, given: { isCandidate: boolean; stopwatch: Stopwatch }): Promise<void>;
  /** The text that HAProxy was last seen to run and its file holds; null = there is none. */
  good(): Promise<Stamped | null>;
  /** What was changed over the socket already, and the file cannot hold, must not run either. */
  takeBack(log: Logger): Promise<void>;
  /** When the live file is to be brought up to what HAProxy runs, by `monotonicMs`; Infinity = it is. */
  fileDueMs(): number;
  /** Brings it up to date now, as far as that can be had, since no pass follows. */
  flush(): Promise<void>;
}

export function knownHaproxy(options: {
  haproxy: Haproxy;
  monotonicMs: () => number;
  /** The live file has followed what HAProxy runs while nobody waited for it, or failed to. */
  onWritten: () => void;
  /** Whether a new server takes traffic only after its first good check. */
  admitChecked: boolean;
}): KnownHaproxy {
  const { haproxy, monotonicMs } = options;
  const keeper = fileKeeper({ haproxy, monotonicMs, onWritten: options.onWritten });
  /** The last text that HAProxy was seen to run; undefined before the first look. */
  let lastGood: Applied | null | undefined;
  /** Whether it still runs it. */
  let known: "yes" | "no" | "doubted" = "doubted";
  /** The text that was last made the live file, or meant to be. */
  let tried = "";
  let mustReload: Reason | null = null;
  /** After the check or the disk refused a text, the file goes first: HAProxy must not run what is taken back. */
  let isFileFirst = false;
  /** The difference for which HAProxy was reloaded last; where it is there again, another reload would not mend it. */
  let reloadedFor: string | null = null;
  /** HAProxy runs a part of what it was told last. */
  let isHalfDone = false;

  const applied = (): Applied | null => (known === "no" ? null : (lastGood ?? null));

  const planFrom = (from: Applied | null, candidate: Stamped): Plan =>
    plan({
      applied: from,
      candidate,
      abilities: from === null || from.version === "" ? null : abilitiesOf(from.version),
      leaving: haproxy.leaving(),
      admitChecked: options.admitChecked,
    });

  /** What HAProxy runs is not what it should, and only a reload helps. */
  function lose(why: string): void {
    known = "no";
    mustReload = { section: "", line: 0, what: why };
  }

  /** Null when HAProxy did not do over its socket what it was told. */
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
    await follow(turn);
    return appliedOutcome(candidate, given);
  }

  async function follow(turn: Turn): Promise<void> {
    if (known !== "yes" || lastGood == null) return;
    tried = lastGood.text;
    await keeper.settle(lastGood, turn);
  }

  /** The text that an earlier Rollcall saw running. */
  async function recall(): Promise<Applied | null> {
    const good = await haproxy.goodText();
    if (good !== null) keeper.note(good);
    return good === null ? null : { ...good, pid: 0, version: "" };
  }

  async function settle(target: Stamped, live: string | null, turn: Turn): Promise<Outcome | null> {
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
    // The list of servers shows neither limits nor other words of a line: what would be new goes by the plan.
    const onward = planFrom(lastGood, target);
    const isShown = ({ kind }: Operation): boolean => kind !== "add" && kind !== "maxconn";
    const wanted = onward.kind === "runtime" && onward.operations.every(isShown) ? target : lastGood;
    const operations = seen?.mend(wanted) ?? null;
    if (operations === null) return null;
    const change = { from: lastGood, operations, reasons: [mustReload] };
    return attempt(() => adjustTo(wanted, change, turn), turn.log);
  }

  /** To what the file holds, by the plan, since the list of servers does not show all that was changed. */
  async function goBack(held: Stamped, { from, log }: { from: Applied; log: Logger }): Promise<void> {
    const stopwatch: Stopwatch = {};
    if (known === "yes" && held.text !== from.text) {
      const todo = planFrom(from, held);
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
    [known, mustReload, isHalfDone] = ["yes", null, false];
  }

  return {
    applied,
    doubt: () => {
      known = "doubted";
    },
    isDoubted: () => known === "doubted",
    settle: async (target, live, turn) => settle(target, live, turn),
    plan: (candidate) => planFrom(applied(), candidate),
    mustReload: () => mustReload,
    adjust: async (candidate, operations, turn) => {
      const from = applied();
      if (from === null) return null;
      return attempt(() => adjustTo(candidate, { from, operations, reasons: [] }, turn), turn.log);
    },
    follow,
    reload: async (text, { isCandidate, stopwatch }) => {
      const good = keeper.held() ?? lastGood ?? null;
      tried = text.text;
      lastGood = await haproxy.reloadTo(text, { lastGood: good, stopwatch });
      known = "yes";
      keeper.note(lastGood);
      if (!isCandidate) return;
      [reloadedFor, mustReload, isFileFirst, isHalfDone] = [mustReload?.what ?? null, null, false, false];
    },
    good: async () => {
      await keeper.idle();
      return keeper.held() ?? lastGood ?? null;
    },
    takeBack: async (log) => {
      const [held, from] = [keeper.held(), lastGood];
      if (held !== null && from != null) await goBack(held, { from, log }).catch(() => undefined);
      isFileFirst = true;
    },
    fileDueMs: () => (known === "yes" && lastGood != null ? keeper.dueMs(lastGood) : Infinity),
    flush: async () => {
      await keeper.idle();
      const isBehind = known === "yes" && lastGood != null && keeper.held()?.text !== lastGood.text;
      if (isBehind && lastGood != null) await keeper.write(lastGood, {}).catch(() => undefined);
    },
  };
}

import { abilitiesOf } from "./core/abilities.ts";
import { countServers } from "./core/haproxy-config.ts";
import { describeOperation, type Operation } from "./core/operation.ts";
import type { Outcome, StageTimings, Stopwatch } from "./core/outcome.ts";
import { plan } from "./core/plan.ts";
import { buildRoster, type Roster } from "./core/roster.ts";
import type { Stamped } from "./core/stamp.ts";
import { type Reason, structure } from "./core/structure.ts";
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
  /** Whether a new server takes traffic only after its first good check. */
  readonly admitChecked: boolean;
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
  /** Servers that were removed still have sessions: another pass is due soon. */
  isLeaving(): boolean;
}

/** A text that HAProxy could not take, and until when nothing with the same structure is tried again. */
interface Barred {
  readonly structure: string;
  readonly untilMs: number;
  readonly outcome: Outcome;
}

/** How long HAProxy may not answer before the last good text is tried in the place of the new one, in turns. */
const TURN_MS = 10_000;

/** No more operations than an operator reads. */
const MAX_OPERATIONS = 20;

/** What two texts have in common that differ in their server lines only. */
const structureOf = ({ sections, revision }: Stamped): string => revision ?? structure(sections);

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
  /** After HAProxy did not do over its socket what it was told, only a reload helps. */
  let mustReload: Reason | null = null;
  /** After the check or the disk refused a text, the file goes first: HAProxy must not run what is taken back. */
  let isFileFirst = false;

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
      await haproxy.reap();
      const live = known === "doubted" || gate.isWatching() ? await haproxy.liveText() : null;
      const held = gate.holds({ live, candidate: candidate.text });
      if (held !== null) return { kind: "waiting", reason: held };
      const mended = await settleDoubts(live, log);
      const outcome = await bring(candidate, stopwatch, log);
      return outcome.kind === "unchanged" && mended !== null ? mended : outcome;
    } catch (error) {
      return await failure(error, { candidate, log });
    }
  }

  /** From what HAProxy runs to the candidate. */
  async function bring(candidate: Stamped, stopwatch: Stopwatch, log: Logger): Promise<Outcome> {
    const from = applied();
    const todo = plan({
      applied: from,
      candidate,
      abilities: from === null || from.version === "" ? null : abilitiesOf(from.version),
      leaving: haproxy.leaving(),
      admitChecked: options.admitChecked,
    });
    if (todo.kind === "noop") return { kind: "unchanged" };
    let reasons: readonly Reason[];
    if (todo.kind === "runtime" && from !== null) {
      try {
        return await adjustTo(candidate, { from, operations: todo.operations, stopwatch });
      } catch (error) {
        const { kind, stage, reason } = describeFailure(error);
        if (stage !== "runtime" || kind === "unreachable") throw error;
        log.warn({ reason }, "HAProxy did not do over its socket what it was told, it is reloaded");
        mustReload = { section: "", line: 0, what: `over the socket: ${reason}` };
        known = "no";
        reasons = [mustReload];
      }
    } else reasons = mustReload === null || todo.kind === "runtime" ? reasonsOf(todo) : [mustReload];
    const isBarred = barred !== null && monotonicMs() < barred.untilMs;
    if (isBarred && barred?.structure === structureOf(candidate)) return barred.outcome;
    if (monotonicMs() < reloadedAtMs + options.reloadIntervalMs) return { kind: "deferred", reasons };
    return await reloadTo(candidate, { reasons, stopwatch });
  }

  async function adjustTo(
    candidate: Stamped,
    given: { from: Applied; operations: readonly Operation[]; stopwatch: Stopwatch },
  ): Promise<Outcome> {
    const { operations } = given;
    tried = candidate.text;
    lastGood = await haproxy.adjustTo(candidate, { ...given, fileFirst: isFileFirst });
    isFileFirst = false;
    later.reset();
    return overSocket(candidate, { operations, reasons: [] });
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

  /**
   * Where it is not sure what HAProxy runs, looks at its file and asks it. What somebody else changed over the socket
   * is mended there.
   * @returns what was mended; null = nothing was.
   */
  async function settleDoubts(live: string | null, log: Logger): Promise<Outcome | null> {
    if (known !== "doubted") return null;
    lastGood ??= await recall();
    if (lastGood === null) {
      known = "no";
      return null;
    }
    const isLive = live === lastGood.text;
    const isOurs = isLive || live === tried;
    const seen = isLive ? await haproxy.verify(lastGood).catch(() => null) : null;
    const drift = seen?.drift ?? null;
    known = seen !== null && drift === null ? "yes" : "no";
    if (seen !== null) lastGood = { ...lastGood, pid: seen.info.pid, version: seen.info.version };
    if (drift?.operations != null) {
      await haproxy.mend(lastGood, drift.operations);
      known = "yes";
    }
    const difference = isOurs ? drift?.what : "its file was changed by somebody else";
    if (difference === undefined) return null;
    log.warn({ difference }, "HAProxy does not run what it should");
    mustReload = known === "yes" ? null : { section: "", line: 0, what: difference };
    if (known !== "yes") return null;
    const reasons = [{ section: "", line: 0, what: difference }];
    return overSocket(lastGood, { operations: drift?.operations ?? [], reasons });
  }

  /** The text that an earlier Rollcall saw running. */
  async function recall(): Promise<Applied | null> {
    const good = await haproxy.goodText();
    return good === null ? null : { ...good, pid: 0, version: "" };
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
    mustReload = null;
    isFileFirst = false;
    later.reset();
    return {
      kind: "applied",
      way: "reload",
      reasons: given.reasons,
      operations: [],
      revision: candidate.revision,
      servers: countServers(candidate.sections),
    };
  }

  async function failure(
    thrown: unknown,
    { candidate, log }: { candidate: Stamped; log: Logger },
  ): Promise<Outcome> {
    const { kind, stage, reason } = describeFailure(thrown);
    // What was changed over the socket already, before the file, is taken back.
    if (known === "yes" && (stage === "check" || stage === "commit")) {
      [known, isFileFirst] = ["doubted", true];
      await settleDoubts(await haproxy.liveText().catch(() => null), log).catch(() => null);
    }
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
    isLeaving: () => haproxy.leaving().size > 0,
    notBeforeMs: () => Math.max(reloadedAtMs + options.reloadIntervalMs, barred?.untilMs ?? 0),
  };
}

const reasonsOf = (todo: ReturnType<typeof plan>): readonly Reason[] =>
  todo.kind === "reload" ? todo.reasons : [];

function overSocket(
  { revision, sections }: Stamped,
  given: { operations: readonly Operation[]; reasons: readonly Reason[] },
): Outcome {
  return {
    kind: "applied",
    way: "runtime",
    reasons: given.reasons,
    operations: given.operations.slice(0, MAX_OPERATIONS).map(describeOperation),
    revision,
    servers: countServers(sections),
  };
}

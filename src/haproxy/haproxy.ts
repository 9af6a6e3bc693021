import { abilitiesOf } from "../core/abilities.ts";
import { differences, repair } from "../core/drift.ts";
import type { Operation } from "../core/operation.ts";
import type { Stopwatch } from "../core/outcome.ts";
import { problems } from "../core/requirements.ts";
import type { ServerParameters } from "../core/server-parameters.ts";
import { readStamp, type Stamped } from "../core/stamp.ts";
import { wantedServers } from "../core/wanted-servers.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { adjust } from "./adjust.ts";
import { checkConfig } from "./check.ts";
import type { ConfigFile, StagedFile } from "./config-file.ts";
import { expectationOf, mismatch } from "./expectation.ts";
import { clearStates, createStates, handOverStates } from "./hand-over-states.ts";
import { HaproxyError, type HaproxyStage } from "./haproxy-error.ts";
import type { Leaving } from "./leaving.ts";
import { findMaster, type Master, sharesNamespace } from "./master.ts";
import { probeNewPorts } from "./port-probe.ts";
import { reload, type ReloadOptions } from "./reload.ts";
import { type Info, readInfo, readRunning, type Running } from "./running.ts";
import { isServing } from "./serving.ts";

/** What HAProxy was proven to run. */
export interface Applied extends Stamped {
  /** The worker that said so, and its version; 0 and empty when an earlier Rollcall saw it. */
  readonly pid: number;
  readonly version: string;
}

/** What a look at HAProxy found. */
export interface Look {
  readonly info: Info;
  /** The text that it must have read: what was applied, or of a worker that was not seen before what its file held. */
  readonly ran: Stamped;
  /** The first difference from it, in words; null = there is none. */
  readonly difference: string | null;
  /** What brings its servers to those of a text without a reload; null = nothing does. */
  mend(target: Stamped): readonly Operation[] | null;
}

/** The one HAProxy that Rollcall serves. */
export interface Haproxy {
  /**
   * Checks the candidate, makes it the live file, reloads HAProxy and proves that it runs it. When HAProxy does not
   * take it, `lastGood` becomes the live file again, so that a HAProxy that restarts finds a text that works.
   * `stopwatch` gets the milliseconds of each stage, whether it succeeds or not.
   * @throws HaproxyError
   */
  reloadTo(candidate: Stamped, given: { lastGood: Stamped | null; stopwatch: Stopwatch }): Promise<Applied>;
  /**
   * Brings HAProxy from `from` to the candidate over its socket, without a reload, and proves it. The file is not
   * touched.
   * @throws HaproxyError `failed` at stage `runtime` when HAProxy did not do what it was told.
   */
  adjustTo(
    candidate: Stamped,
    given: { from: Applied; operations: readonly Operation[]; stopwatch: Stopwatch },
  ): Promise<Applied>;
  /**
   * Checks the candidate and makes it the live file, without a reload.
   * @throws HaproxyError
   */
  write(candidate: Stamped, stopwatch?: Stopwatch): Promise<void>;
  /** Notes, for the next Rollcall, that HAProxy runs the live file. */
  noteProven(candidate: Stamped): Promise<void>;
  /**
   * Compares what runs with what was applied. A worker that was not seen before must have read `inFile`.
   * @throws HaproxyError `unreachable`
   */
  look(applied: Applied, inFile: Stamped): Promise<Look>;
  /** Servers that were removed and still have sessions, by `backend/server`. */
  leaving(): ReadonlyMap<string, ServerParameters | null>;
  /** Deletes those of them that have none any more; one that does not answer is tried again. */
  reap(): Promise<void>;
  /** The worker that answers now; null when none does. */
  info(): Promise<Info | null>;
  /**
   * The live file's text; null when there is none.
   * @throws HaproxyError `failed`
   */
  liveText(): Promise<string | null>;
  /** The text that HAProxy was last seen to run, also by an earlier Rollcall; null when there is none. */
  goodText(): Promise<Stamped | null>;
}

/** Confirming may take a few times what HAProxy needs to read the file, which the check has just measured. */
const CONFIRM_MIN_MS = 2000;
const CONFIRM_PER_CHECK = 5;

export function haproxy(
  options: ReloadOptions & {
    binary: string;
    file: ConfigFile;
    leaving: Leaving;
    /** Whether a new server takes traffic only after its first good check. */
    admitChecked: boolean;
    log: Logger;
  },
): Haproxy {
  const { binary, file, socketPath, leaving } = options;
  /** The master of the worker that was last seen to run what it should. */
  let lastMaster: Master | null = null;
  /** The last reload failed: the next one is tried without handing over what the old worker knows. */
  let withoutStates = false;
  /** A live text that passed the check needs no other one, however often its reload is tried. */
  let checked = "";

  async function check(candidate: Stamped): Promise<StagedFile> {
    const master = await runningMaster(socketPath);
    const wrong = problems(candidate, { openFiles: master?.openFiles ?? null, socketPath });
    if (wrong.length > 0) throw new HaproxyError(wrong.join("; "), { stage: "check", kind: "refused" });
    const staged = await file.stage(candidate.text);
    try {
      await checkConfig({ binary, file: staged.path });
      const live = await file.read();
      if (live !== null && master !== null && (await sharesNamespace(master.pid, "net"))) {
        await probeNewPorts({ live, candidate: candidate.text });
      }
      return staged;
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  async function write(candidate: Stamped, stopwatch: Stopwatch = {}): Promise<void> {
    if (candidate.text === checked && candidate.text === (await file.read())) return;
    await createStates(candidate);
    const staged = await timed(stopwatch, "check", () => check(candidate));
    await timed(stopwatch, "commit", () => staged.commit());
    checked = candidate.text;
  }

  /** Not noting it costs a reload at the next start, no more. */
  const noteProven = (candidate: Stamped): Promise<void> =>
    file.proven(candidate.text).catch(() => undefined);

  async function putBack(lastGood: Stamped): Promise<void> {
    const staged = await file.stage(lastGood.text);
    await staged.commit();
  }

  return {
    async reloadTo(candidate, { lastGood, stopwatch }) {
      await write(candidate, stopwatch);
      const expected = expectationOf(candidate);
      const confirmTimeoutMs = CONFIRM_MIN_MS + CONFIRM_PER_CHECK * (stopwatch.check ?? 0);
      // A signal that is lost is cheap to repeat; a change of more than servers may be what HAProxy cannot take.
      const attempts = candidate.revision !== null && candidate.revision === lastGood?.revision ? 2 : 1;
      const serving = (): Promise<boolean> => isServing((lastGood ?? candidate).text);
      const demand = { ...options, confirmTimeoutMs, attempts, lastMaster, isServing: serving };
      try {
        const doReload = (): Promise<Info> => reload(expected, demand);
        const { admitChecked: newStartDown, log } = options;
        const states = { candidate, socketPath, newStartDown, log };
        const info = await timed(stopwatch, "reload", () =>
          withoutStates ? doReload() : handOverStates(states, doReload),
        );
        withoutStates = false;
        lastMaster = (await runningMaster(socketPath)) ?? lastMaster;
        leaving.clear();
        await noteProven(candidate);
        return { ...candidate, pid: info.pid, version: info.version };
      } catch (error) {
        // With `-dW` HAProxy refuses a file of states in which a server is down.
        withoutStates = true;
        // A new worker may run all the same, and has them as they are wanted; what an old one keeps is found again.
        leaving.clear();
        // One that does not answer may be starting with the new file at this moment: leave it there.
        const answered = !(error instanceof HaproxyError && error.kind === "unreachable");
        if (answered && lastGood !== null) await putBack(lastGood).catch(() => undefined);
        throw error;
      }
    },
    write,
    async adjustTo(candidate, { from, operations, stopwatch }) {
      const { pid, version, sections: before } = from;
      const change = { operations, before, after: candidate.sections, pid, version };
      const info = await timed(stopwatch, "runtime", () => adjust(change, { socketPath, leaving }));
      return { ...candidate, pid: info.pid, version: info.version };
    },
    noteProven,
    leaving: () => leaving.servers(),
    reap: () => leaving.reap().catch(() => undefined),
    async look(applied, inFile) {
      try {
        const running = await readRunning(socketPath);
        const { info } = running;
        // The digest of a worker that was seen before is that of the file of then.
        const isKnown = applied.pid === 0 || applied.pid === info.pid;
        const ran = isKnown ? applied : inFile;
        const stamp = { revision: ran.revision, digest: isKnown ? null : inFile.digest };
        const found = mismatch({ ...expectationOf(ran), stamp }, running, leaving.servers());
        if (found === null) lastMaster = (await runningMaster(socketPath)) ?? lastMaster;
        const isOther = found !== null && found.differences === null;
        return {
          info,
          ran,
          difference: found?.what ?? null,
          mend: (target) => (isOther ? null : mending(target, running, leaving.servers())),
        };
      } catch (cause) {
        throw new HaproxyError("HAProxy does not answer", { stage: "confirm", kind: "unreachable", cause });
      }
    },
    info: () => readInfo(socketPath).catch(() => null),
    liveText: () => file.read(),
    async goodText() {
      const text = await file.readGood().catch(() => null);
      if (text === null) return null;
      const good = readStamp(text);
      await clearStates(good);
      return good;
    },
  };
}

/** What makes a worker run the servers of a text without a reload; null = nothing does. */
function mending(
  { sections }: Stamped,
  { info, servers }: Running,
  gone: { has(key: string): boolean },
): readonly Operation[] | null {
  const wanted = wantedServers(sections);
  const found = differences(wanted, servers, gone);
  const made = repair(found, { sections, wanted, abilities: abilitiesOf(info.version) });
  return made.ok ? made.value : null;
}

async function timed<T>(stopwatch: Stopwatch, stage: HaproxyStage, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    stopwatch[stage] = performance.now() - start;
  }
}

/** The master of the worker that answers; null when there is none, or it cannot be seen: others will complain. */
async function runningMaster(socketPath: string): Promise<Master | null> {
  try {
    const worker = await readInfo(socketPath);
    return await findMaster({ workerPid: worker.pid, expectedPid: null });
  } catch {
    return null;
  }
}

/** A failure at any stage, as data: what to log, and whether trying the same again makes sense. */
export function describeFailure(error: unknown): {
  stage: HaproxyStage;
  kind: HaproxyError["kind"];
  reason: string;
} {
  if (error instanceof HaproxyError)
    return { stage: error.stage, kind: error.kind, reason: messageOf(error) };
  return { stage: "commit", kind: "failed", reason: messageOf(error) };
}

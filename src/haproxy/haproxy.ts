import type { Stopwatch } from "../core/outcome.ts";
import { problems } from "../core/requirements.ts";
import { readStamp, type Stamped } from "../core/stamp.ts";
import { messageOf } from "../lib/errors.ts";
import { checkConfig } from "./check.ts";
import type { ConfigFile, StagedFile } from "./config-file.ts";
import { difference, expectationOf } from "./expectation.ts";
import { HaproxyError, type HaproxyStage } from "./haproxy-error.ts";
import { findMaster, type Master, sharesNamespace } from "./master.ts";
import { probeNewPorts } from "./port-probe.ts";
import { reload, type ReloadOptions } from "./reload.ts";
import { type Info, readInfo, readServers } from "./running.ts";
import { isServing } from "./serving.ts";

/** What HAProxy was proven to run. */
export interface Applied extends Stamped {
  /** The worker that said so. */
  readonly pid: number;
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
   * Checks the candidate and makes it the live file, without a reload.
   * @throws HaproxyError
   */
  write(candidate: Stamped): Promise<void>;
  /**
   * Compares what runs with what should: null = it is the same, else the difference in words.
   * @throws HaproxyError `unreachable`
   */
  verify(candidate: Stamped): Promise<{ info: Info; difference: string | null }>;
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

export function haproxy(options: ReloadOptions & { binary: string; file: ConfigFile }): Haproxy {
  const { binary, file, socketPath } = options;
  /** The master of the worker that was last seen to run what it should. */
  let lastMaster: Master | null = null;
  /** A live text that passed the check needs no other one, however often its reload is tried. */
  let checked = "";

  async function check(candidate: Stamped): Promise<StagedFile> {
    const master = await runningMaster(socketPath);
    const wrong = problems(candidate.text, { openFiles: master?.openFiles ?? null, socketPath });
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
    const staged = await timed(stopwatch, "check", () => check(candidate));
    await timed(stopwatch, "commit", () => staged.commit());
    checked = candidate.text;
  }

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
        const info = await timed(stopwatch, "reload", () => reload(expected, demand));
        lastMaster = (await runningMaster(socketPath)) ?? lastMaster;
        // Not noting it costs a reload at the next start, no more.
        await file.proven(candidate.text).catch(() => undefined);
        return { ...candidate, pid: info.pid };
      } catch (error) {
        // One that does not answer may be starting with the new file at this moment: leave it there.
        const answered = !(error instanceof HaproxyError && error.kind === "unreachable");
        if (answered && lastGood !== null) await putBack(lastGood).catch(() => undefined);
        throw error;
      }
    },
    write: (candidate) => write(candidate),
    async verify(candidate) {
      try {
        const info = await readInfo(socketPath);
        const servers = await readServers(socketPath);
        const found = difference(expectationOf(candidate), { info, servers });
        if (found === null) lastMaster = (await runningMaster(socketPath)) ?? lastMaster;
        return { info, difference: found };
      } catch (cause) {
        throw new HaproxyError("HAProxy does not answer", { stage: "confirm", kind: "unreachable", cause });
      }
    },
    info: () => readInfo(socketPath).catch(() => null),
    liveText: () => file.read(),
    async goodText() {
      const text = await file.readGood().catch(() => null);
      return text === null ? null : readStamp(text);
    },
  };
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

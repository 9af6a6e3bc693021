import type { Stopwatch } from "../core/outcome.ts";
import { readConfig } from "../core/haproxy-config.ts";
import { problems } from "../core/requirements.ts";
import { messageOf } from "../lib/errors.ts";
import { checkConfig } from "./check.ts";
import type { ConfigFile } from "./config-file.ts";
import { difference, expectationOf } from "./expectation.ts";
import { HaproxyError, type HaproxyStage } from "./haproxy-error.ts";
import { findMaster, type Master, sharesNamespace } from "./master.ts";
import { probeNewPorts } from "./port-probe.ts";
import { reload, type ReloadOptions } from "./reload.ts";
import { type Info, parseRevision, readInfo, readServers } from "./running.ts";

/** Text that is to be run, with the revision that stands in it (null: none does). */
export interface Candidate {
  readonly text: string;
  readonly revision: string | null;
}

/** What HAProxy was proven to run. */
export interface Applied extends Candidate {
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
  reloadTo(candidate: Candidate, given: { lastGood: Applied | null; stopwatch: Stopwatch }): Promise<Applied>;
  /**
   * Checks the candidate and makes it the live file, without a reload.
   * @throws HaproxyError
   */
  write(candidate: Candidate): Promise<void>;
  /**
   * Compares what runs with what should: null = it is the same, else the difference in words.
   * @throws HaproxyError `unreachable`
   */
  verify(candidate: Candidate): Promise<{ info: Info; difference: string | null }>;
  /** The live file, when HAProxy was once seen to run it and it was not replaced since; else null. */
  settled(): Promise<Candidate | null>;
  /** The worker that answers now; null when none does. */
  info(): Promise<Info | null>;
  /** The live file's text; null when there is none. */
  liveText(): Promise<string | null>;
}

/** Confirming may take a few times what HAProxy needs to read the file, which the check has just measured. */
const CONFIRM_MIN_MS = 2000;
const CONFIRM_PER_CHECK = 5;

export function haproxy(options: ReloadOptions & { binary: string; file: ConfigFile }): Haproxy {
  const { binary, file, socketPath } = options;

  async function check(candidate: Candidate): Promise<void> {
    const master = await runningMaster(socketPath);
    const wrong = problems(candidate.text, { openFiles: master?.openFiles ?? null });
    if (wrong.length > 0) throw new HaproxyError(wrong.join("; "), { stage: "check", kind: "refused" });
    await checkConfig({ binary, file: await file.stage(candidate.text) });
    const live = await file.read();
    if (live === null || master === null || !(await sharesNamespace(master.pid, "net"))) return;
    await probeNewPorts({ live, candidate: candidate.text });
  }

  async function putBack(text: string): Promise<void> {
    await file.stage(text);
    await file.commit();
  }

  return {
    async reloadTo(candidate, { lastGood, stopwatch }) {
      const timed = async <T>(stage: HaproxyStage, work: () => Promise<T>): Promise<T> => {
        const start = performance.now();
        return work().finally(() => {
          stopwatch[stage] = performance.now() - start;
        });
      };
      await timed("check", () => check(candidate));
      await timed("commit", () => file.commit());
      const expected = expectationOf(candidate.text, candidate.revision);
      const lastPid = lastGood?.pid ?? null;
      const confirmTimeoutMs = CONFIRM_MIN_MS + CONFIRM_PER_CHECK * (stopwatch.check ?? 0);
      try {
        const info = await timed("reload", () => reload(expected, { ...options, confirmTimeoutMs, lastPid }));
        await file.proven();
        return { ...candidate, pid: info.pid };
      } catch (error) {
        // One that does not answer may be starting with the new file at this moment: leave it there.
        const answered = !(error instanceof HaproxyError && error.kind === "unreachable");
        if (answered && lastGood !== null) await putBack(lastGood.text);
        throw error;
      }
    },
    async write(candidate) {
      await check(candidate);
      await file.commit();
    },
    async verify(candidate) {
      try {
        const info = await readInfo(socketPath);
        const expected = expectationOf(candidate.text, candidate.revision);
        return { info, difference: difference(expected, { info, servers: await readServers(socketPath) }) };
      } catch (cause) {
        throw new HaproxyError("HAProxy does not answer", { stage: "confirm", kind: "unreachable", cause });
      }
    },
    async settled() {
      const text = await file.read();
      if (text === null || (await file.isPending())) return null;
      return { text, revision: revisionIn(text) };
    },
    info: () => readInfo(socketPath).catch(() => null),
    liveText: () => file.read(),
  };
}

/** The revision that stands in a text; null when there is none. */
function revisionIn(text: string): string | null {
  const global = readConfig(text).filter((section) => section.keyword === "global");
  const lines = global.flatMap((section) => section.lines).filter((line) => line.words[0] === "description");
  return parseRevision(lines.at(-1)?.words[1] ?? "");
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
  return { stage: "reload", kind: "failed", reason: messageOf(error) };
}

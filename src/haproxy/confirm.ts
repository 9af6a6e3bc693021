import { messageOf } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import { type Expectation, isMisplaced, mismatch } from "./expectation.ts";
import { isWorker, type Master, type Workers, workersOf } from "./master.ts";
import { type Info, readInfo, readRunning } from "./running.ts";

/** What became of a demand for a reload. */
export type Verdict =
  /** A new worker answers and runs what was expected. */
  | { readonly kind: "proven"; readonly info: Info }
  /** A new worker was started and did not survive: HAProxy does not take this configuration. */
  | { readonly kind: "failed"; readonly why: string }
  /** Nothing happened within the time: the signal was lost, or cannot be told from one that was. */
  | { readonly kind: "lost"; readonly why: string };

const POLL_MS = 10;
/** A worker that is seen starting gets this many times the usual time: with very many servers it needs it. */
const PATIENCE = 10;
/** A worker that answers and runs something else is somebody else's: it will not change its mind. */
const WRONG_MS = 1500;

/**
 * Waits until a worker with another pid than `oldPid` answers with what is expected. The master's children tell a
 * reload that failed (a new worker came and went) from a signal that was lost (none came), so that neither is waited
 * for in vain nor asked for twice.
 */
export async function confirm(options: {
  expected: Expectation;
  socketPath: string;
  /** The worker from before; null = any that runs what was expected will do. */
  oldPid: number | null;
  /** Null when the master cannot be seen. */
  master: Master | null;
  /** Workers from before the reload was demanded. */
  workers: Workers | null;
  timeoutMs: number;
}): Promise<Verdict> {
  const { master, workers, timeoutMs } = options;
  const startedAt = performance.now();
  const born = new Set<number>();
  let wrongSince = Infinity;
  for (let polls = 0; ; polls++) {
    const seen = await look(options);
    if (seen.info !== null && seen.why === "") return { kind: "proven", info: seen.info };
    for (const pid of await younger(master, workers)) born.add(pid);
    const alive = await Promise.all([...born].map(async (pid) => master !== null && isWorker(pid, master)));
    const starting = [...born].filter((pid, at) => alive[at] === true && pid !== seen.info?.pid);
    if (seen.info === null) wrongSince = Infinity;
    else wrongSince = Math.min(wrongSince, performance.now());
    const ended = born.size > 0 && starting.length === 0 && seen.info === null;
    // It may have answered and been replaced by another reload since we looked.
    if (ended && (await look(options)).info === null) {
      return {
        kind: "failed",
        why: "the new worker ended at its start, see HAProxy's log",
      };
    }
    const limitMs = starting.length > 0 ? PATIENCE * timeoutMs : timeoutMs;
    const isWrong = starting.length === 0 && performance.now() - wrongSince > WRONG_MS;
    if (isWrong || performance.now() - startedAt > limitMs) return { kind: "lost", why: seen.why };
    await sleep(Math.min(POLL_MS * (1 + polls / 20), 10 * POLL_MS));
  }
}

/** Workers that were started later than all those from before. */
async function younger(master: Master | null, before: Workers | null): Promise<readonly number[]> {
  const now = master === null || before === null ? null : await workersOf(master);
  const newest = Math.max(0, ...(before?.values() ?? []));
  return [...(now ?? [])].filter(([, startedAt]) => startedAt > newest).map(([pid]) => pid);
}

/** The worker that answers, unless it is the old one, and what is wrong with it; nothing is = the proof. */
async function look(options: {
  expected: Expectation;
  socketPath: string;
  oldPid: number | null;
}): Promise<{ info: Info | null; why: string }> {
  const { expected, socketPath, oldPid } = options;
  try {
    const info = await readInfo(socketPath);
    if (info.pid === oldPid || info.stopping)
      return { info: null, why: `the old worker ${info.pid} still answers` };
    const wrong = mismatch(expected, await readRunning(socketPath));
    const isProven = wrong === null || !isMisplaced(wrong);
    return { info, why: isProven ? "" : `worker ${info.pid}: ${wrong.what}` };
  } catch (error) {
    return { info: null, why: messageOf(error) };
  }
}

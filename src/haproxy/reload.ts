import { readFile } from "node:fs/promises";
import { messageOf } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import { difference, type Expectation } from "./expectation.ts";
import { HaproxyError } from "./haproxy-error.ts";
import { catchesReloadSignals, findMaster, probeSocketFolder } from "./master.ts";
import { type Info, readInfo, readServers } from "./running.ts";
import { ask } from "./socket.ts";

/** How a running HAProxy is reached. */
export interface ReloadOptions {
  /** The worker's stats socket. */
  readonly socketPath: string;
  /** The master's socket (`-S`); null = reload by SIGHUP. */
  readonly masterSocketPath: string | null;
  /** File with the master's pid, or the pid itself; null = the parent of the worker that answers. */
  readonly pidFile: string | null;
  readonly pid: number | null;
  /** Sends a signal; `process.kill`. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
}

/** A SIGHUP that arrives while another reload runs is lost; so is one to a master that is just re-executing itself. */
const ATTEMPTS = 3;
/** The master's `reload` answers when the new worker is up, which takes seconds with very many servers. */
const MASTER_TIMEOUT_MS = 60_000;
const POLL_MS = 10;

/**
 * Makes HAProxy run the file that is live now, and proves it: a worker with another pid than before answers on the
 * socket with the expected revision and servers. Asked for up to three times, since a signal can be lost.
 * @param options.confirmTimeoutMs how long one attempt may take, in milliseconds.
 * @returns the info of the new worker.
 * @throws HaproxyError `unreachable` when no worker answers, `failed` when the old one stays.
 */
export async function reload(
  expected: Expectation,
  options: ReloadOptions & { confirmTimeoutMs: number },
): Promise<Info> {
  const before = await readInfo(options.socketPath).catch((cause: unknown) => {
    throw unreachable(`HAProxy does not answer: ${messageOf(cause)}`, cause);
  });
  let last = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await demand(before, options);
    const verdict = await confirm(expected, { ...options, oldPid: before.pid });
    if (typeof verdict !== "string") return verdict;
    last = verdict;
  }
  throw failed(`asked for a reload ${ATTEMPTS} times, not proven: ${last}`);
}

async function demand(worker: Info, options: ReloadOptions): Promise<void> {
  if (options.masterSocketPath !== null) {
    // What cannot be seen of the master (another pid namespace) cannot be probed either; its socket is enough.
    const master = await findMaster({ workerPid: worker.pid, expectedPid: null }).catch(() => null);
    if (master !== null) await probeSocketFolder(master);
    return demandOverSocket(options.masterSocketPath);
  }
  const master = await findMaster({ workerPid: worker.pid, expectedPid: await expectedPid(options) });
  await probeSocketFolder(master);
  if (!(await catchesReloadSignals(master.pid))) {
    throw unreachable(`HAProxy's master ${master.pid} has just started and does not handle signals yet`);
  }
  try {
    options.kill(master.pid, "SIGHUP");
  } catch (cause) {
    throw failed(`SIGHUP to HAProxy's master ${master.pid}: run Rollcall as the same user or root`, cause);
  }
}

/**
 * From 2.7 on the answer says whether the new worker started; 2.6 says nothing. A refused connection, an empty answer
 * or `Success=0` without an alert mean that another reload is running: only the proof decides.
 */
async function demandOverSocket(path: string): Promise<void> {
  const answer = await ask({ path, command: "reload", timeoutMs: MASTER_TIMEOUT_MS, halfClose: true }).catch(
    (error: unknown) => {
      const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
      if (code === "ENOENT" || code === "EACCES") throw failed(`master socket ${messageOf(error)}`, error);
      return "";
    },
  );
  if (!answer.startsWith("Success=0")) return;
  const alerts = [...answer.matchAll(/\[ALERT\]\s+\([0-9]+\) : (.*)/g)].map((found) => found[1]);
  if (alerts.length > 0) throw failed(`HAProxy refused to reload: ${alerts.slice(0, 5).join("; ")}`);
}

/** The new worker's info, or why it is not proven within the time limit. */
async function confirm(
  expected: Expectation,
  options: ReloadOptions & { confirmTimeoutMs: number; oldPid: number },
): Promise<Info | string> {
  const deadline = performance.now() + options.confirmTimeoutMs;
  let verdict = "";
  for (let polls = 0; performance.now() < deadline; polls++) {
    if (polls > 0) await sleep(Math.min(POLL_MS * (1 + polls / 20), 10 * POLL_MS));
    try {
      const info = await readInfo(options.socketPath);
      if (info.pid === options.oldPid || info.stopping) {
        verdict = `the old worker ${info.pid} still answers`;
        continue;
      }
      const wrong = difference(expected, { info, servers: await readServers(options.socketPath) });
      if (wrong === null) return info;
      verdict = `worker ${info.pid}: ${wrong}`;
    } catch (error) {
      verdict = messageOf(error);
    }
  }
  return verdict;
}

async function expectedPid(options: ReloadOptions): Promise<number | null> {
  if (options.pid !== null || options.pidFile === null) return options.pid;
  const text = await readFile(options.pidFile, "utf8").catch((cause: unknown) => {
    throw failed(`pid file ${options.pidFile} cannot be read`, cause);
  });
  const pid = Number(text.trim().split("\n")[0]);
  if (Number.isInteger(pid) && pid > 0) return pid;
  throw failed(`pid file ${options.pidFile} does not hold a pid`);
}

const failed = (message: string, cause?: unknown): HaproxyError =>
  new HaproxyError(message, { stage: "reload", kind: "failed", cause });
const unreachable = (message: string, cause?: unknown): HaproxyError =>
  new HaproxyError(message, { stage: "reload", kind: "unreachable", cause });

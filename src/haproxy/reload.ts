import { readFile } from "node:fs/promises";
import { messageOf } from "../lib/errors.ts";
import { confirm } from "./confirm.ts";
import type { Expectation } from "./expectation.ts";
import { HaproxyError } from "./haproxy-error.ts";
import { catchesReloadSignals, findMaster, type Master, probeSocketFolder, workersOf } from "./master.ts";
import { type Info, readInfo } from "./running.ts";
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
const ATTEMPTS = 2;
/** The master's `reload` answers when the new worker is up, which takes seconds with very many servers. */
const MASTER_TIMEOUT_MS = 60_000;

/**
 * Makes HAProxy run the file that is live now, and proves it: a worker with another pid than before answers on the
 * socket with the expected revision and servers. Asked for twice at most, since a signal can be lost; but not
 * again when the new worker was seen to fail, which may cost HAProxy two seconds in which it refuses connections.
 * @param options.lastPid the worker that answered last. After a reload that failed for want of a port, the worker of
 *   3.2 serves on, but its socket refuses; only another reload mends that.
 * @param options.confirmTimeoutMs how long one attempt may take, in milliseconds.
 * @returns the info of the new worker.
 * @throws HaproxyError `unreachable` when no worker answers, `failed` when the old one stays.
 */
export async function reload(
  expected: Expectation,
  options: ReloadOptions & { confirmTimeoutMs: number; lastPid: number | null },
): Promise<Info> {
  const { socketPath, confirmTimeoutMs: timeoutMs } = options;
  const oldPid = await workerPid(options);
  let last = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const master = await masterOf(oldPid, options);
    const workers = master === null ? null : await workersOf(master);
    await demand(master, options);
    const verdict = await confirm({ expected, socketPath, oldPid, master, workers, timeoutMs });
    if (verdict.kind === "proven") return verdict.info;
    if (verdict.kind === "failed") throw failed(verdict.why);
    last = verdict.why;
  }
  throw failed(`asked for a reload ${ATTEMPTS} times, not proven: ${last}`);
}

/** The worker that answers, or the last one that did when it still runs. */
async function workerPid(options: { socketPath: string; lastPid: number | null }): Promise<number> {
  try {
    return (await readInfo(options.socketPath)).pid;
  } catch (cause) {
    const { lastPid } = options;
    const master =
      lastPid === null ? null : await findMaster({ workerPid: lastPid, expectedPid: null }).catch(() => null);
    // The pid may meanwhile be that of something else.
    if (lastPid !== null && master?.name.startsWith("haproxy") === true) return lastPid;
    throw unreachable(`HAProxy does not answer: ${messageOf(cause)}`, cause);
  }
}

/** The master; null when it cannot be seen (another pid namespace) and its socket must be enough. */
async function masterOf(oldPid: number, options: ReloadOptions): Promise<Master | null> {
  if (options.masterSocketPath !== null) {
    return findMaster({ workerPid: oldPid, expectedPid: null }).catch(() => null);
  }
  return findMaster({ workerPid: oldPid, expectedPid: await expectedPid(options) });
}

async function demand(master: Master | null, options: ReloadOptions): Promise<void> {
  if (master !== null) await probeSocketFolder(master);
  if (options.masterSocketPath !== null) return demandOverSocket(options.masterSocketPath);
  if (master === null) return;
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
  const command = { path, command: "reload", timeoutMs: MASTER_TIMEOUT_MS, halfClose: true };
  const answer = await ask(command).catch((error: unknown) => {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    if (code === "ENOENT" || code === "EACCES") throw failed(`master socket ${messageOf(error)}`, error);
    return "";
  });
  if (!answer.startsWith("Success=0")) return;
  const alerts = [...answer.matchAll(/\[ALERT\]\s+\([0-9]+\) : (.*)/g)].map((found) => found[1]);
  if (alerts.length > 0) throw failed(`HAProxy refused to reload: ${alerts.slice(0, 5).join("; ")}`);
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

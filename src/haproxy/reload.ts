import { readFile } from "node:fs/promises";
import { messageOf } from "../lib/errors.ts";
import { confirm } from "./confirm.ts";
import type { Expectation } from "./expectation.ts";
import { HaproxyError } from "./haproxy-error.ts";
import {
  catchesReloadSignals,
  findMaster,
  type Master,
  masterByPid,
  probeSocketFolder,
  workersOf,
} from "./master.ts";
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

/** The master's `reload` answers when the new worker is up, which takes seconds with very many servers. */
const MASTER_TIMEOUT_MS = 60_000;

/** What one reload needs to know beside where HAProxy is. */
export interface ReloadDemand extends ReloadOptions {
  /** How long one attempt may take, in milliseconds. */
  readonly confirmTimeoutMs: number;
  /**
   * How often to ask: a SIGHUP that arrives while another reload runs is lost. It is not asked again when the new
   * worker was seen to fail, which may cost HAProxy two seconds in which it refuses connections.
   */
  readonly attempts: number;
  /**
   * The master of the worker that was last proven. After a failed reload a worker of 3.2 serves on, but its socket
   * refuses, and a text without that socket takes it away: only another reload mends that.
   */
  readonly lastMaster: Master | null;
  /** Whether HAProxy still takes connections, although its stats socket does not. */
  readonly isServing: () => Promise<boolean>;
}

/**
 * Makes HAProxy run the file that is live now, and proves it: a worker with another pid than before answers on the
 * socket with the expected stamp and servers.
 * @returns the info of the new worker.
 * @throws HaproxyError `unreachable` when no HAProxy is found, `failed` when the old worker stays.
 */
export async function reload(expected: Expectation, options: ReloadDemand): Promise<Info> {
  const { socketPath, attempts, confirmTimeoutMs: timeoutMs } = options;
  let last = "";
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { oldPid, master } = await find(options);
    const workers = master === null ? null : await workersOf(master);
    await demand(master, options);
    const verdict = await confirm({ expected, socketPath, oldPid, master, workers, timeoutMs });
    if (verdict.kind === "proven") return verdict.info;
    if (verdict.kind === "failed") throw failed(verdict.why);
    last = verdict.why;
  }
  throw failed(`asked for a reload, not proven: ${last}`);
}

/**
 * Who is to be told, and which worker must not be taken for the new one (null = any may be it). Where no worker
 * answers, there may still be a master: its socket, the configured pid, or the one that was there last.
 */
async function find(options: ReloadDemand): Promise<{ oldPid: number | null; master: Master | null }> {
  const viaSocket = options.masterSocketPath !== null;
  try {
    const { pid } = await readInfo(options.socketPath);
    const given = viaSocket ? null : await expectedPid(options);
    const found = findMaster({ workerPid: pid, expectedPid: given });
    // A master in another pid namespace cannot be seen; its socket is enough.
    return { oldPid: pid, master: await (viaSocket ? found.catch(() => null) : found) };
  } catch (cause) {
    if (cause instanceof HaproxyError) throw cause;
    const leaves = viaSocket ? await isLeaving(options.masterSocketPath) : !(await options.isServing());
    if (leaves) throw unreachable(`HAProxy does not answer, or is being stopped: ${messageOf(cause)}`, cause);
    const last = options.lastMaster === null ? null : await masterByPid(options.lastMaster.pid);
    if (last !== null && last.startedAt === options.lastMaster?.startedAt)
      return { oldPid: null, master: last };
    const pid = await expectedPid(options).catch(() => null);
    const master = pid === null ? null : await masterByPid(pid);
    if (master !== null || (viaSocket && (await answers(options.masterSocketPath))))
      return { oldPid: null, master };
    throw unreachable(`HAProxy does not answer: ${messageOf(cause)}`, cause);
  }
}

/**
 * Whether HAProxy was told to stop softly (SIGUSR1): it closes its sockets, finishes what is open and ends, unless a
 * reload starts it anew. Over the master, a worker that only has lost its socket still answers (2.6, 3.0, 3.2).
 */
async function isLeaving(masterSocketPath: string | null): Promise<boolean> {
  if (masterSocketPath === null) return false;
  const command = { path: masterSocketPath, command: "@1 show info", timeoutMs: 2000, halfClose: true };
  const answer = await ask(command).catch(() => null);
  return answer !== null && !/^Stopping: 0$/m.test(answer);
}

const answers = async (masterSocketPath: string | null): Promise<boolean> => {
  if (masterSocketPath === null) return false;
  const command = { path: masterSocketPath, command: "show version", timeoutMs: 2000, halfClose: true };
  return ask(command).then(
    () => true,
    () => false,
  );
};

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

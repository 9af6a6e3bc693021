import { readFile, readlink, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HaproxyError } from "./haproxy-error.ts";

/** HAProxy's master process, as seen in /proc. */
export interface Master {
  readonly pid: number;
  /** Name of its program, the same as its workers'. */
  readonly name: string;
  /** When it was started, in ticks since the boot: with the pid, it is this process and no later one. */
  readonly startedAt: string;
  /** The socket given to it by `-S`; null when there is none, or it cannot be seen. */
  readonly socketPath: string | null;
  /** Hard limit of open files; null when it cannot be seen. */
  readonly openFiles: number | null;
}

/** HAProxy, and HAProxy Enterprise. */
const HAPROXY_NAME = /^(?:haproxy|hapee)/;
const SIGHUP = 1;
const SIGUSR2 = 12;

/**
 * Finds the master of the worker that answers on the socket: in master-worker mode it is the worker's parent, whatever
 * a pid file says. `expectedPid`, from a pid file, must agree.
 * @throws HaproxyError when there is no master to signal, in words that say what to do.
 */
export async function findMaster(options: {
  workerPid: number;
  expectedPid: number | null;
}): Promise<Master> {
  const { workerPid, expectedPid } = options;
  const worker = await readProcess(workerPid);
  if (worker === null) {
    throw failure(
      `HAProxy's worker ${workerPid} is not visible here: run Rollcall in HAProxy's pid namespace, or set haproxy-master-socket`,
    );
  }
  if (!HAPROXY_NAME.test(worker.name)) {
    throw failure(
      `pid ${workerPid}, which HAProxy says it has, is ${worker.name} here: another pid namespace; set haproxy-master-socket`,
    );
  }
  const master = await readProcess(worker.parentPid);
  if (master === null || master.name !== worker.name || expectedPid === workerPid) {
    throw failure(
      `HAProxy (pid ${workerPid}) is not in master-worker mode, where a SIGHUP reloads nothing: start it with -W`,
    );
  }
  if (expectedPid !== null && expectedPid !== master.pid) {
    throw failure(
      `the configured pid ${expectedPid} is not the master of worker ${workerPid}, which is ${master.pid}`,
    );
  }
  return describe(master);
}

/** The process with this pid, when it is a HAProxy that can be told to reload; else null. */
export async function masterByPid(pid: number): Promise<Master | null> {
  const process = await readProcess(pid);
  if (process === null || !HAPROXY_NAME.test(process.name)) return null;
  return (await catchesReloadSignals(pid)) ? describe(process) : null;
}

async function describe({ pid, name, startedAt }: Process): Promise<Master> {
  const [socketPath, openFiles] = [await masterSocketOf(pid), await openFilesOf(pid)];
  return { pid, name, startedAt, socketPath, openFiles };
}

/**
 * True when the process handles the reload signals. One that has just started does not yet, and SIGHUP would end it;
 * one that is not a master handles SIGHUP, but not SIGUSR2.
 */
export async function catchesReloadSignals(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const has = (signal: number): boolean => ((caught >> BigInt(signal - 1)) & 1n) === 1n;
  return has(SIGHUP) && has(SIGUSR2);
}

/**
 * Makes sure that the folder of the master's socket can be written: a master that cannot bind its socket anew during
 * a reload ends, and everything with it. Where the master sees other mounts than we do (another container, a hardened
 * unit), nothing can be said.
 * @throws HaproxyError when it cannot be written, or is full.
 */
export async function probeSocketFolder(master: Master): Promise<void> {
  if (master.socketPath === null || !(await sharesMounts(master.pid))) return;
  const probe = join(dirname(master.socketPath), `.rollcall-probe-${master.pid}`);
  try {
    await writeFile(probe, "probe");
    await unlink(probe);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const sameUser = (await stat("/proc/self")).uid === (await stat(`/proc/${master.pid}`)).uid;
    // What we may not write, a master of another user may.
    if ((code === "EACCES" || code === "EPERM") && !sameUser) return;
    throw failure(
      `folder ${dirname(probe)} of the master socket cannot be written (${code}); a reload would end HAProxy's master`,
      cause,
    );
  }
}

const sharesMounts = (pid: number): Promise<boolean> => sharesNamespace(pid, "mnt");

/** True when a process sees the same mounts (`mnt`) or network (`net`) as we do; false also when that cannot be seen. */
export async function sharesNamespace(pid: number, kind: "mnt" | "net"): Promise<boolean> {
  const namespace = (process: string): Promise<string | null> =>
    readlink(`/proc/${process}/ns/${kind}`).catch(() => null);
  const own = await namespace("self");
  return own !== null && own === (await namespace(String(pid)));
}

/** When each worker of a master was started, in ticks since the boot, by its pid. */
export type Workers = ReadonlyMap<number, number>;

/**
 * The workers of a master, those that are starting or leaving too: its children with its own name. The kernel may
 * leave one out while another one ends. Null when it does not tell at all.
 */
export async function workersOf(master: Master): Promise<Workers | null> {
  const text = await readFile(`/proc/${master.pid}/task/${master.pid}/children`, "utf8").catch(() => null);
  if (text === null) return null;
  const children = await Promise.all(
    text
      .trim()
      .split(" ")
      .map((pid) => readProcess(Number(pid))),
  );
  const workers = children.filter((child) => child !== null && child.name === master.name);
  return new Map(workers.map((child) => [child?.pid ?? 0, Number(child?.startedAt)]));
}

/** True while a worker of this master lives. */
export async function isWorker(pid: number, master: Master): Promise<boolean> {
  const worker = await readProcess(pid);
  return worker !== null && worker.parentPid === master.pid && worker.state !== "Z";
}

function failure(message: string, cause?: unknown): HaproxyError {
  return new HaproxyError(message, { stage: "reload", kind: "failed", cause });
}

interface Process {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  /** `Z` = ended, and not yet taken note of by its parent. */
  readonly state: string;
  readonly startedAt: string;
}

/** proc(5): `pid (name) state ppid …`, the start time is field 22; the name may hold spaces and parentheses. */
async function readProcess(pid: number): Promise<Process | null> {
  if (pid <= 0) return null;
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [, name, rest] = /^[0-9]+ \((.*)\) (.*)/s.exec(text) ?? [];
  if (name === undefined || rest === undefined) return null;
  const fields = rest.split(" ");
  return { pid, name, state: fields[0] ?? "", parentPid: Number(fields[1]), startedAt: fields[19] ?? "" };
}

/** The path in `-S PATH,level,admin` of the command line. */
async function masterSocketOf(pid: number): Promise<string | null> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  const value = words[words.indexOf("-S") + 1]?.split(",")[0];
  return words.includes("-S") && value?.startsWith("/") === true ? value : null;
}

async function openFilesOf(pid: number): Promise<number | null> {
  const limits = await readFile(`/proc/${pid}/limits`, "utf8").catch(() => "");
  const hard = Number(/^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1]);
  return Number.isInteger(hard) ? hard : null;
}

import { access, constants, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { bad, type Finding, good, warning } from "../core/finding.ts";
import { messageOf } from "../lib/errors.ts";
import { haproxyVersion } from "./check.ts";
import { catchesReloadSignals, findMaster, probeSocketFolder } from "./master.ts";
import { type Info, readInfo } from "./running.ts";
import { ask } from "./socket.ts";

/** Answers of the runtime socket are short here; a healthy one needs milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;

export interface DoctorOptions {
  readonly binary: string;
  readonly configPath: string;
  readonly socketPath: string;
  readonly masterSocketPath: string | null;
  readonly pid: number | null;
  readonly kill: (pid: number, signal: 0) => void;
}

/** Looks at everything of HAProxy that Rollcall needs: program, file, sockets, master. Changes nothing. */
export async function examineHaproxy(options: DoctorOptions): Promise<readonly Finding[]> {
  const findings = [await examineBinary(options.binary), await examineFile(options.configPath)];
  const info = await readInfo(options.socketPath).catch((error: unknown) => messageOf(error));
  if (typeof info === "string") {
    const mend = 'start HAProxy, or set haproxy-socket to its "stats socket"';
    return [...findings, bad("HAProxy's socket", `${info}: ${mend}`)];
  }
  findings.push(await examineSocket(options.socketPath, info));
  if (options.masterSocketPath !== null) findings.push(await examineMasterSocket(options.masterSocketPath));
  findings.push(await examineMaster(info, options));
  return findings;
}

async function examineBinary(binary: string): Promise<Finding> {
  try {
    return good("haproxy program", `${binary} is version ${await haproxyVersion(binary)}`);
  } catch (error) {
    return bad("haproxy program", `${messageOf(error)}: install HAProxy, or set haproxy-bin`);
  }
}

async function examineFile(path: string): Promise<Finding> {
  const what = "configuration file";
  const folder = dirname(path);
  const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  if (mounts.split("\n").some((line) => line.split(" ")[4] === path)) {
    return bad(
      what,
      `${path} is a bind mount of a single file, which cannot be replaced: mount ${folder} instead`,
    );
  }
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return good(what, `${path} can be replaced`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const mend = code === "ENOENT" ? "create it, or set haproxy-config" : "let this user write there";
    return bad(what, `${path} cannot be replaced, folder ${folder}: ${code ?? ""}; ${mend}`);
  }
}

async function examineSocket(path: string, info: Info): Promise<Finding> {
  const what = "HAProxy's socket";
  const level = await ask({ path, command: "show cli level", timeoutMs: ANSWER_TIMEOUT_MS }).catch(messageOf);
  if (level.trim() !== "admin") {
    return bad(
      what,
      `${path} has level ${level.trim().slice(0, 100)}: write "stats socket ${path} level admin" in the configuration`,
    );
  }
  return good(what, `${path}: HAProxy ${info.version}, worker ${info.pid}, level admin`);
}

async function examineMasterSocket(path: string): Promise<Finding> {
  const what = "master socket";
  const options = { path, command: "show proc", timeoutMs: ANSWER_TIMEOUT_MS, halfClose: true };
  const answer = await ask(options).catch((error: unknown) => error as Error);
  if (answer instanceof Error) {
    return bad(
      what,
      `${answer.message}: start HAProxy with -S ${path},level,admin, or unset haproxy-master-socket`,
    );
  }
  const isMaster = /^\d+\s+master\s/m.test(answer);
  return isMaster
    ? good(what, `${path} answers`)
    : bad(what, `${path} is not the socket of a HAProxy master`);
}

async function examineMaster(info: Info, options: DoctorOptions): Promise<Finding> {
  const what = "reload";
  try {
    const master = await findMaster({ workerPid: info.pid, expectedPid: options.pid });
    await probeSocketFolder(master);
    if (options.masterSocketPath !== null) return good(what, `over the master socket of pid ${master.pid}`);
    options.kill(master.pid, 0);
    if (await catchesReloadSignals(master.pid))
      return good(what, `by SIGHUP to the master, pid ${master.pid}`);
    return warning(
      what,
      `the master, pid ${master.pid}, does not handle signals yet: look again in a second`,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EPERM")
      return bad(what, "this user may not signal HAProxy's master: run as the same user, or root");
    if (options.masterSocketPath !== null) return warning(what, messageOf(error));
    return bad(what, messageOf(error));
  }
}

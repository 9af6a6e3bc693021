import type { RunningServer } from "../core/drift.ts";
import { parseStamp, type Stamp } from "../core/stamp.ts";
import { ask } from "./socket.ts";

/** What the worker that answers on the socket says of itself (`show info`, management guide 9.3). */
export interface Info {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSec: number;
  /** True for a worker that was told to leave and still has connections. */
  readonly stopping: boolean;
  /** Which text it runs, by its description. */
  readonly stamp: Stamp;
}

/** A worker and its servers, in one answer. */
export interface Running {
  readonly info: Info;
  readonly servers: readonly RunningServer[];
}

/** Time for one answer of a healthy worker; a worker that is busy with 10,000 servers needs less than a second. */
const ANSWER_TIMEOUT_MS = 5000;
/** More backends than this are not asked one by one. */
const MAX_BACKENDS = 5;

/**
 * Asks the worker who it is.
 * @throws Error when it does not answer, or with something else than its info.
 */
export async function readInfo(socketPath: string, signal?: AbortSignal): Promise<Info> {
  const answer = await ask({ path: socketPath, command: "show info", timeoutMs: ANSWER_TIMEOUT_MS, signal });
  return parseInfo(answer, socketPath);
}

/**
 * Asks the worker who it is and which servers it has.
 * @param backends only these, where they are few; null = all.
 * @throws Error when it does not answer, or with something else than version 1 of the format.
 */
export async function readRunning(
  socketPath: string,
  backends: ReadonlySet<string> | null = null,
): Promise<Running> {
  const isFew = backends !== null && backends.size <= MAX_BACKENDS;
  const lists = isFew ? [...backends].map((name) => `show servers state ${name}`) : ["show servers state"];
  const command = ["show info", ...lists].join(";");
  const answer = await ask({ path: socketPath, command, timeoutMs: 2 * ANSWER_TIMEOUT_MS });
  const info = parseInfo(answer, socketPath);
  if (!answer.includes("\n1\n# be_id") && lists.length > 0)
    throw new Error(`${socketPath}: ${command}: unknown format of "show servers state"`);
  return { info, servers: parseServers(answer) };
}

function parseInfo(answer: string, socketPath: string): Info {
  const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, "m").exec(answer)?.[1] ?? "";
  const pid = Number(field("Pid"));
  if (!Number.isInteger(pid) || pid <= 0) {
    throw new Error(`${socketPath}: not an answer of HAProxy: ${JSON.stringify(answer.slice(0, 100))}`);
  }
  return {
    version: field("Version"),
    pid,
    uptimeSec: Number(field("Uptime_sec")),
    stopping: field("Stopping") === "1",
    stamp: parseStamp(field("description")),
  };
}

/** Flags of the columns `srv_admin_state` and `srv_check_state`. */
const FORCED_MAINT = 0x01;
const FORCED_DRAIN = 0x08;
const CHECK_ENABLED = 0x04;

/**
 * Lines of `show servers state` version 1: be_id, be_name, srv_id, srv_name, srv_addr, srv_op_state, srv_admin_state,
 * srv_uweight, five more, srv_check_state, four more, srv_port. A regular expression takes a third of the time that
 * splitting each line takes.
 */
const SERVER =
  /^[0-9]+ (\S+) [0-9]+ (\S+) (\S+) [0-9]+ ([0-9]+) ([0-9]+) (?:\S+ ){5}([0-9]+) (?:\S+ ){4}([0-9]+)/gm;

function parseServers(answer: string): readonly RunningServer[] {
  const servers: RunningServer[] = [];
  for (const [, backend = "", name = "", address = "", admin, weight, check, port] of answer.matchAll(
    SERVER,
  )) {
    const flags = Number(admin);
    servers.push({
      backend,
      name,
      address,
      port: Number(port),
      weight: Number(weight),
      isMaint: (flags & FORCED_MAINT) !== 0,
      isDraining: (flags & FORCED_DRAIN) !== 0,
      isChecked: (Number(check) & CHECK_ENABLED) !== 0,
    });
  }
  return servers;
}

import type { Health } from "../core/hold.ts";
import { hostPort, type Server } from "../core/server.ts";
import { ask } from "./socket.ts";

const ANSWER_TIMEOUT_MS = 5000;
/** More backends than this are not asked one by one. */
const MAX_BACKENDS = 5;

/** Columns of `srv_op_state`, and flag of `srv_check_state` (management guide 9.3; HAProxy's server-t.h, check-t.h). */
const STARTING = "1";
const RUNNING = "2";
const CHECK_ENABLED = 0x04;

/** be_id, be_name, srv_id, srv_name, srv_addr, srv_op_state, seven more, srv_check_state, four more, srv_port. */
const SERVER = /^[0-9]+ (\S+) [0-9]+ (\S+) (\S+) ([0-9]+) (?:\S+ ){7}([0-9]+) (?:\S+ ){4}([0-9]+)/gm;

/**
 * Asks the worker how its servers are, by its own checks. A server that a template gave another name is found by its
 * address.
 * @throws Error when it does not answer, or with something else than version 1 of the format.
 */
export async function readHealth(
  socketPath: string,
  backends: ReadonlySet<string>,
): Promise<(server: Server) => Health> {
  const isFew = backends.size <= MAX_BACKENDS;
  const few = isFew ? await readServers(socketPath, [...backends]) : null;
  const answer = few ?? (await readServers(socketPath, [""])) ?? "";
  const [names, addresses] = [new Map<string, Health>(), new Map<string, Health>()];
  for (const [, backend, name, address = "", state = "", check, port] of answer.matchAll(SERVER)) {
    const health = healthOf(state, Number(check));
    names.set(`${backend}/${name}`, health);
    const place = hostPort({ address, port: Number(port) });
    if (addresses.get(place) !== "up") addresses.set(place, health);
  }
  return (server) =>
    names.get(`${server.backend}/${server.name}`) ?? addresses.get(hostPort(server)) ?? "absent";
}

/** Null when HAProxy does not know one of the backends: a template may call them otherwise. */
async function readServers(socketPath: string, backends: readonly string[]): Promise<string | null> {
  const command = backends.map((name) => `show servers state ${name}`.trimEnd()).join(";");
  const answer = await ask({ path: socketPath, command, timeoutMs: ANSWER_TIMEOUT_MS });
  const lists = answer.split("\n# be_id").length - 1;
  if (lists === backends.length) return answer;
  if (/find backend/.test(answer)) return null;
  throw new Error(`${socketPath}: ${command}: unknown format of "show servers state"`);
}

function healthOf(state: string, check: number): Health {
  if ((check & CHECK_ENABLED) === 0) return "unchecked";
  return state === STARTING || state === RUNNING ? "up" : "down";
}

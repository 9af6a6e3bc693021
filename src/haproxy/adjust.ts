import { abilitiesOf } from "../core/abilities.ts";
import { keyOf, type Operation } from "../core/operation.ts";
import { type Difference, differences, type RunningServer } from "../core/drift.ts";
import { type ConfigSection, countServers } from "../core/haproxy-config.ts";
import { wantedServers, type WantedServers } from "../core/wanted-servers.ts";
import { messageOf } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import { HaproxyError } from "./haproxy-error.ts";
import type { Leaving } from "./leaving.ts";
import { type Info, readRunning } from "./running.ts";
import { deleteServersSoon, tell } from "./runtime.ts";

/** What a change over the socket starts from and leads to. */
export interface Adjustment {
  readonly operations: readonly Operation[];
  /** What HAProxy ran until now, and what it shall run. */
  readonly before: readonly ConfigSection[];
  readonly after: readonly ConfigSection[];
  /** The worker that ran it, and its version. */
  readonly pid: number;
  readonly version: string;
}

/**
 * Tells the worker, without a reload, and proves by its list of servers that it did what it was told.
 * @throws HaproxyError `unreachable`, or `failed` at stage `runtime` when it runs something else now: then only a
 *   reload helps.
 */
export async function adjust(
  given: Adjustment,
  { socketPath, leaving }: { socketPath: string; leaving: Leaving },
): Promise<Info> {
  const { operations, before, after, pid, version } = given;
  const putAgain = !abilitiesOf(version).closesBusy;
  const touched = new Set(operations.map(keyOf));
  const gone = operations.filter(({ kind }) => kind === "remove").map(keyOf);
  const was = gone.length === 0 ? null : wantedServers(before, new Set(gone));
  const wanted = wantedServers(after, touched);
  const [first, then] = phases(operations);
  try {
    const complaints = [...(await tell(socketPath, first))];
    leaving.forget(touched);
    if (countServers(after) > MANY_SERVERS) await sleep(FIRST_REQUESTS_MS);
    for (const key of gone) leaving.add(key, was?.servers.get(key)?.parameters ?? null, putAgain);
    let seen = await see({ touched, wanted, leaving, socketPath }, then.length > 0);
    if (then.length > 0) {
      complaints.push(...(await tell(socketPath, then)));
      seen = await see({ touched, wanted, leaving, socketPath });
    }
    const { info, running, wrong } = seen;
    if (info.pid !== pid) throw failed(`another worker (${info.pid}) answers now`);
    if (wrong.length > 0) throw failed(reasonOf(wrong, complaints));
    if (complaints.length > 0) throw failed(complaints.join("; "));
    const there = new Set(running.map(({ backend, name: server }) => keyOf({ backend, server })));
    await finish(
      gone.filter((key) => there.has(key)),
      { socketPath, leaving, gone, putAgain },
    );
    return info;
  } catch (cause) {
    if (cause instanceof HaproxyError) throw cause;
    throw new HaproxyError(messageOf(cause), { stage: "runtime", kind: "unreachable", cause });
  }
}

/**
 * HAProxy 3.0 and 3.2 give a server its new address a moment after they said so (measured: up to 0.9 ms), and would
 * send requests to the old one if they were told to use it meanwhile: that comes when the new address was seen.
 */
function phases(operations: readonly Operation[]): [readonly Operation[], readonly Operation[]] {
  const moved = new Set(operations.filter(({ kind }) => kind === "address").map(keyOf));
  const isLate = (operation: Operation): boolean =>
    moved.has(keyOf(operation)) &&
    (operation.kind === "health" || (operation.kind === "state" && operation.state === "ready"));
  return [operations.filter((one) => !isLate(one)), operations.filter(isLate)];
}

/**
 * A HAProxy that lists ten thousand servers has less time for requests for some 8 ms (measured): where there are so
 * many, the first requests to the servers that have just changed go before the proof.
 */
const MANY_SERVERS = 1000;
const FIRST_REQUESTS_MS = 5;
/** How long a new address may need until it is seen, in milliseconds. */
const AGAIN_MS = [1, 2, 4, 8, 16];

interface Seen {
  readonly info: Info;
  readonly running: readonly RunningServer[];
  /** What is not as it should be. */
  readonly wrong: readonly Difference[];
}

/** The servers that were touched, as HAProxy has them; looks again while an address is the old one. */
async function see(
  given: {
    touched: ReadonlySet<string>;
    wanted: WantedServers;
    leaving: Leaving;
    socketPath: string;
  },
  addressesOnly = false,
): Promise<Seen> {
  const { touched, wanted, leaving, socketPath } = given;
  const backends = new Set([...touched].map((key) => key.slice(0, key.lastIndexOf("/"))));
  for (let again = 0; ; again++) {
    const { info, servers } = await readRunning(socketPath, backends);
    const running = servers.filter(({ backend, name: server }) => touched.has(keyOf({ backend, server })));
    const wrong = differences(wanted, running, leaving.servers());
    const late = wrong.filter(({ kind }) => kind === "address");
    const pauseMs = AGAIN_MS[again];
    const isOver = late.length === 0 || (!addressesOnly && late.length < wrong.length);
    if (isOver || pauseMs === undefined) return { info, running, wrong };
    await sleep(pauseMs);
  }
}

/** Most servers are idle a few milliseconds after they left; what is busy for longer goes on leaving. */
async function finish(
  present: readonly string[],
  given: { socketPath: string; leaving: Leaving; gone: readonly string[]; putAgain: boolean },
): Promise<void> {
  const busy = new Set(await deleteServersSoon(given.socketPath, present, given.putAgain));
  given.leaving.forget(given.gone.filter((key) => !busy.has(key)));
}

const reasonOf = ([first]: readonly Difference[], complaints: readonly string[]): string =>
  [first?.what, ...complaints].filter((text) => text !== undefined).join("; HAProxy says: ");

const failed = (message: string): HaproxyError =>
  new HaproxyError(message, { stage: "runtime", kind: "failed" });

import { keyOf, type Operation } from "../core/operation.ts";
import { type Difference, differences } from "../core/drift.ts";
import type { ConfigSection } from "../core/haproxy-config.ts";
import { wantedServers } from "../core/wanted-servers.ts";
import { messageOf } from "../lib/errors.ts";
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
  /** The worker that ran it. */
  readonly pid: number;
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
  const { operations, before, after, pid } = given;
  const touched = new Set(operations.map(keyOf));
  const gone = operations.filter(({ kind }) => kind === "remove").map(keyOf);
  const was = gone.length === 0 ? null : wantedServers(before, new Set(gone));
  try {
    const complaints = await tell(socketPath, operations);
    leaving.forget(touched);
    for (const key of gone) leaving.add(key, was?.servers.get(key)?.parameters ?? null);
    const backends = new Set(operations.map(({ backend }) => backend));
    const { info, servers } = await readRunning(socketPath, backends);
    if (info.pid !== pid) throw failed(`another worker (${info.pid}) answers now`);
    const running = servers.filter((server) =>
      touched.has(keyOf({ backend: server.backend, server: server.name })),
    );
    const wanted = wantedServers(after, touched);
    const wrong = differences(wanted, running, leaving.servers());
    if (wrong.length > 0) throw failed(reasonOf(wrong, complaints));
    if (complaints.length > 0) throw failed(complaints.join("; "));
    const there = new Set(running.map((server) => keyOf({ backend: server.backend, server: server.name })));
    await finish(
      gone.filter((key) => there.has(key)),
      { socketPath, leaving, gone },
    );
    return info;
  } catch (cause) {
    if (cause instanceof HaproxyError) throw cause;
    throw new HaproxyError(messageOf(cause), { stage: "runtime", kind: "unreachable", cause });
  }
}

/** Most servers are idle a few milliseconds after they left; what is busy for longer goes on leaving. */
async function finish(
  present: readonly string[],
  given: { socketPath: string; leaving: Leaving; gone: readonly string[] },
): Promise<void> {
  const busy = new Set(await deleteServersSoon(given.socketPath, present));
  given.leaving.forget(given.gone.filter((key) => !busy.has(key)));
}

const reasonOf = ([first]: readonly Difference[], complaints: readonly string[]): string =>
  [first?.what, ...complaints].filter((text) => text !== undefined).join("; HAProxy says: ");

const failed = (message: string): HaproxyError =>
  new HaproxyError(message, { stage: "runtime", kind: "failed" });

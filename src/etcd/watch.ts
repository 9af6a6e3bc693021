import { SourceError } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import type { EtcdWatchAnswer, EtcdWatchRequest } from "./messages.ts";
import { prefixRange } from "./list.ts";
import type { EtcdSession } from "./session.ts";

export type EtcdEvent = EtcdWatchAnswer["events"][number];

const CREATED_MS = 5000;

/**
 * Watches all `prefixes` from the revision after `revision` on. `onEvents` gets the events of one message together,
 * put together again when etcd had cut it into fragments. Ends only by rejecting.
 */
export async function watchPrefixes(given: {
  session: EtcdSession;
  prefixes: readonly string[];
  revision: string;
  onEvents: (events: readonly EtcdEvent[]) => void;
  signal: AbortSignal;
}): Promise<never> {
  const { session, prefixes, signal } = given;
  const { token } = session.options(0);
  const done = new AbortController();
  let created = 0;
  const assemble = assembler(given.onEvents, BigInt(given.revision));
  const watching = session.client.watch(
    prefixes.map((prefix) => createRequest(prefix, given.revision)),
    (answer) => {
      if (answer.canceled) throw new SourceError(cancelReason(answer));
      if (answer.created) created++;
      assemble(answer);
    },
    { signal: AbortSignal.any([signal, done.signal]), token },
  );
  const creation = sleep(CREATED_MS, done.signal).then(() => {
    if (created < prefixes.length) throw new SourceError("the watch was not confirmed in time");
    return watching;
  });
  try {
    return await Promise.race([watching, creation]);
  } finally {
    done.abort();
    await Promise.allSettled([watching, creation]);
  }
}

/** Collects fragments, each watch for itself, and drops what the list already had. */
function assembler(
  onEvents: (events: readonly EtcdEvent[]) => void,
  listed: bigint,
): (answer: EtcdWatchAnswer) => void {
  const parts = new Map<string, EtcdEvent[]>();
  return (answer) => {
    const events = parts.get(answer.watch_id) ?? [];
    for (const event of answer.events) events.push(event);
    if (answer.fragment) {
      parts.set(answer.watch_id, events);
      return;
    }
    parts.delete(answer.watch_id);
    // Some releases send older events to a watch of a future revision: etcd-io/etcd#20221.
    const fresh = events.filter((event) => BigInt(event.kv.mod_revision) > listed);
    if (fresh.length > 0) onEvents(fresh);
  };
}

function createRequest(prefix: string, revision: string): EtcdWatchRequest {
  const start_revision = String(BigInt(revision) + 1n);
  return { create_request: { ...prefixRange(prefix), start_revision, fragment: true } };
}

function cancelReason(answer: EtcdWatchAnswer): string {
  if (answer.compact_revision !== "0")
    return `the history is compacted up to revision ${answer.compact_revision}`;
  return `the watch was refused: ${answer.cancel_reason === "" ? "no reason given" : answer.cancel_reason}`;
}

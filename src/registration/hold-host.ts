import type { HostConcern } from "../core/host-concern.ts";
import { hostKey } from "../core/registry-keys.ts";
import { ABSENT } from "../core/store-write.ts";
import { commit } from "../etcd/commit.ts";
import type { Publishing } from "./publishing.ts";

const CALL_MS = 5000;

/** Takes the host's name if it may be taken, or says why not. What follows is seen in the copy. */
export async function holdHost(
  held: Exclude<HostConcern, { kind: "ours" }>,
  publishing: Publishing,
): Promise<void> {
  const { memory } = publishing;
  const { host, log } = memory.options;
  memory.lease = null;
  if (held.kind === "free") return takeFree(publishing);
  if (held.kind === "successor") {
    log.info({ host, lease: held.lease }, "going on where an earlier agent of this host ended");
    return write({ ...held, publishing });
  }
  const { state, why } = memory.status;
  if (state !== "standing-by" || why !== held.why) log.warn({ host, reason: held.why }, "standing by");
  memory.tell({ state: "standing-by", why: held.why, lease: null, published: 0, doubts: [] });
}

async function takeFree(publishing: Publishing): Promise<void> {
  const { session, memory } = publishing;
  const { leaseTtlS } = memory.options;
  const granted = await session.call(CALL_MS, (client, options) => client.leaseGrant(leaseTtlS, options));
  memory.count("leases");
  try {
    await write({ lease: granted.ID, modRevision: ABSENT, publishing });
  } catch (thrown) {
    // Whoever may not write tries again and again: each time without this would leave a lease behind.
    await session
      .call(CALL_MS, (client, options) => client.leaseRevoke(granted.ID, options))
      .catch(() => undefined);
    throw thrown;
  }
}

/** Writes our record; when somebody else was faster, the copy will tell. */
async function write(given: { lease: string; modRevision: string; publishing: Publishing }): Promise<void> {
  const { lease, modRevision, publishing } = given;
  const { session, memory, copy, ended } = publishing;
  const key = hostKey(memory.options.host, memory.options.layout);
  const before = copy.moves;
  const writes = [{ kind: "put" as const, key, value: memory.record, lease }];
  const revision = await commit(session, { expects: [{ key, modRevision }], writes });
  memory.count("transactions");
  if (revision === null) await copy.moved(before, ended);
  else copy.wrote(writes, revision);
  memory.changed.poke();
}

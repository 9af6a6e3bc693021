import { decide } from "../core/decision.ts";
import { hostKey } from "../core/registry-keys.ts";
import { commit } from "../etcd/commit.ts";
import { sleep } from "../lib/sleep.ts";
import type { Publishing } from "./publishing.ts";
import { writeDecision } from "./write-decision.ts";

/** Time for the load balancers between "no new requests" and "gone", in milliseconds. */
const DRAIN_MS = 1000;
const CALL_MS = 2000;

/**
 * Drains the host's servers, takes them out, and lets the host's name go. The containers go on running. A successor may
 * take the name over at any moment, and the lease with it: from then on all of it is his.
 */
export async function withdraw(publishing: Publishing): Promise<void> {
  const { session, memory, copy, ended } = publishing;
  const { layout, host, onExit, log } = memory.options;
  const ownRecord = () =>
    onExit === "withdraw" && copy.host()?.value === memory.record ? copy.host() : undefined;
  let record = ownRecord();
  let isDrained = false;
  for (; record !== undefined; record = ownRecord()) {
    const standing = { host, lease: record.lease };
    const { changes } = decide({ wanted: [], copy, standing, layout });
    if (changes.length === 0) break;
    const isDraining = changes.some(({ kind }) => kind === "drain");
    if (!isDraining && !isDrained) {
      isDrained = true;
      await sleep(DRAIN_MS, ended);
      continue;
    }
    // Nothing is heard of the store any more: what is left to do is done over the next connection.
    if (ended.aborted) return;
    await writeDecision(isDraining ? changes.filter(({ kind }) => kind === "drain") : changes, publishing);
  }
  if (record === undefined) {
    memory.lease = null;
    return;
  }
  const { lease, modRevision } = record;
  const key = hostKey(host, layout);
  const expects = [{ key, modRevision }];
  const isLetGo = (await commit(session, { expects, writes: [{ kind: "delete", key }] })) !== null;
  memory.lease = null;
  if (!isLetGo) return;
  await session.call(CALL_MS, (client, options) => client.leaseRevoke(lease, options));
  memory.tell({ state: "withdrawn", why: "it has ended", lease: null, published: 0, doubts: [] });
  log.info({ host }, "withdrawn");
}

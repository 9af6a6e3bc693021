import { decide } from "../core/decision.ts";
import { hostKey } from "../core/registry-keys.ts";
import { commit } from "../etcd/commit.ts";
import { sleep } from "../lib/sleep.ts";
import type { Publishing } from "./keep-publishing.ts";
import { writeDecision } from "./write-decision.ts";

/** Time for the load balancers between "no new requests" and "gone", in milliseconds. */
const DRAIN_MS = 1000;
const CALL_MS = 2000;

/** Drains the host's servers, takes them out, and lets the host's name go. The containers go on running. */
export async function withdraw(publishing: Publishing): Promise<void> {
  const { session, memory, copy, ended } = publishing;
  const { layout, host, onExit, log } = memory.options;
  const { lease } = memory;
  const record = copy.host();
  if (lease === null || onExit === "leave" || record?.value !== memory.record) {
    memory.lease = null;
    return;
  }
  const standing = { host, lease };
  const rest = () => decide({ wanted: [], copy, standing, layout }).changes;
  let isDrained = false;
  for (let changes = rest(); changes.length > 0; changes = rest()) {
    const isDraining = changes.some(({ kind }) => kind === "drain");
    if (!isDraining && !isDrained) {
      isDrained = true;
      await sleep(DRAIN_MS, ended);
    }
    await writeDecision(isDraining ? changes.filter(({ kind }) => kind === "drain") : changes, publishing);
  }
  const key = hostKey(host, layout);
  await commit(session, {
    expects: [{ key, modRevision: record.modRevision }],
    writes: [{ kind: "delete", key }],
  });
  await session.call(CALL_MS, (client, options) => client.leaseRevoke(lease, options));
  memory.lease = null;
  memory.tell({ state: "withdrawn", why: "it has ended", lease: null, published: 0, doubts: [] });
  log.info({ host }, "withdrawn");
}

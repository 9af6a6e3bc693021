import { sleep } from "../lib/sleep.ts";
import type { Publishing } from "./publishing.ts";

/** Refreshes in a lease's time: two of them may fail. */
const REFRESHES = 3;

/** Refreshes the host's lease, however many servers it has, until the connection ends; throws when etcd does not answer. */
export async function keepLease(publishing: Publishing): Promise<void> {
  const { memory, ended } = publishing;
  while (!ended.aborted) {
    await refreshLease(publishing);
    await sleep(everyMs(memory), ended);
  }
}

/** Refreshes the host's lease once, if there is one. */
export async function refreshLease({ session, memory }: Connected): Promise<void> {
  const { log, now } = memory.options;
  const { lease } = memory;
  if (lease === null) return;
  const refreshed = await session.call(everyMs(memory), (client, options) =>
    client.leaseKeepAlive(lease, options),
  );
  memory.count("keepalives");
  if (Number(refreshed.TTL) > 0) memory.tell({ refreshedAtMs: now() });
  else log.warn({ lease }, "the lease has ended, registering again");
}

type Connected = Pick<Publishing, "session" | "memory">;

const everyMs = ({ options }: Publishing["memory"]): number => (options.leaseTtlS * 1000) / REFRESHES;

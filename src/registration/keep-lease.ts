import { sleep } from "../lib/sleep.ts";
import type { Publishing } from "./keep-publishing.ts";

/** Refreshes in a lease's time: two of them may fail. */
const REFRESHES = 3;

/** Refreshes the host's lease, however many servers it has, until the connection ends; throws when etcd does not answer. */
export async function keepLease({ session, memory, ended }: Publishing): Promise<void> {
  const { leaseTtlS, log, now } = memory.options;
  const everyMs = (leaseTtlS * 1000) / REFRESHES;
  while (!ended.aborted) {
    const { lease } = memory;
    if (lease !== null) {
      const refreshed = await session.call(everyMs, (client, options) =>
        client.leaseKeepAlive(lease, options),
      );
      memory.count("keepalives");
      if (Number(refreshed.TTL) > 0) memory.tell({ refreshedAtMs: now() });
      else log.warn({ lease }, "the lease has ended, registering again");
    }
    await sleep(everyMs, ended);
  }
}

import { findMaster, workersOf } from "./master.ts";

/**
 * How many workers HAProxy's master has, the one that serves and those that finish their old connections; while a
 * reload goes on also the one that starts. Null when no worker answers, or its master cannot be seen.
 */
export async function countWorkers(serving: { readonly pid: number } | null): Promise<number | null> {
  if (serving === null) return null;
  const master = await findMaster({ workerPid: serving.pid, expectedPid: null }).catch(() => null);
  const workers = master === null ? null : await workersOf(master);
  // The kernel may leave one out while another one ends; the one that answers is there.
  return workers === null ? null : Math.max(1, workers.size);
}

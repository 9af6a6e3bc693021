/** Reloads leave some old workers for a while; more than this many are worth a word. */
const MANY = 4;

/** Says that many old workers are alive, how many, and what to do about it; null when they are few or not known. */
export function oldWorkers(workers: number | null): { count: number; what: string } | null {
  const count = (workers ?? 1) - 1;
  if (count <= MANY) return null;
  return {
    count,
    what: `${count} old workers of HAProxy are alive: long connections keep them, hard-stop-after in the global section ends them`,
  };
}

import { oldWorkers } from "./core/old-workers.ts";
import type { Logger } from "./lib/logger.ts";

/** Logs once when many old workers were alive at two looks in a row, and again only after they were few. */
export function oldWorkersTeller(log: Logger): (workers: number | null) => void {
  let looks = 0;
  return (workers) => {
    // A HAProxy that does not answer for a moment ends no spell.
    if (workers === null) return;
    const many = oldWorkers(workers);
    looks = many === null ? 0 : looks + 1;
    if (many !== null && looks === 2)
      log.warn({ oldWorkers: many.count, reason: many.what }, "many old workers");
  };
}

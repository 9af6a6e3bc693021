import { SourceError } from "../lib/errors.ts";

/** Counts what happens, and lets others wait for the next time. */
export interface Moves {
  readonly count: number;
  tell(): void;
  /**
   * Resolves when the count is more than `since`, or `signal` aborts.
   * @throws SourceError when nothing happens within 5 s.
   */
  after(since: number, signal: AbortSignal): Promise<void>;
}

const LATE_MS = 5000;

export function moves(): Moves {
  let count = 0;
  let waiting = new Set<() => void>();
  return {
    get count() {
      return count;
    },
    tell: () => {
      count++;
      const told = waiting;
      waiting = new Set();
      for (const wake of told) wake();
    },
    after: async (since, signal) => {
      if (count > since || signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, LATE_MS);
      signal.addEventListener("abort", () => resolve(), { once: true });
      waiting.add(resolve);
      await promise;
      clearTimeout(timer);
      waiting.delete(resolve);
      if (count <= since && !signal.aborted)
        throw new SourceError("etcd refuses what was written, and its watch does not tell why");
    },
  };
}

import type { ServerParameters } from "../core/server-parameters.ts";
import { deleteServers, endSessions } from "./runtime.ts";

/**
 * Servers that were removed and still have sessions: they are in maintenance, get no new requests, and are deleted
 * when the last session has ended. A reload hands them to the old worker.
 */
export interface Leaving {
  /** By `backend/server`, what each was when it left; null = not known. */
  servers(): ReadonlyMap<string, ServerParameters | null>;
  add(key: string, was: ServerParameters | null): void;
  /** They are wanted again, or gone. */
  forget(keys: Iterable<string>): void;
  clear(): void;
  /**
   * Deletes those that can be, and ends the sessions of those whose time is over.
   * @throws Error when the socket does not answer.
   */
  reap(): Promise<void>;
}

export function leaving(options: {
  socketPath: string;
  /** How long sessions may go on, in milliseconds. */
  timeoutMs: number;
  monotonicMs: () => number;
}): Leaving {
  const { socketPath, timeoutMs, monotonicMs } = options;
  const all = new Map<string, { was: ServerParameters | null; sinceMs: number }>();
  const forget = (keys: Iterable<string>): void => {
    for (const key of keys) all.delete(key);
  };
  return {
    servers: () => new Map([...all].map(([key, { was }]) => [key, was])),
    add: (key, was) => {
      all.set(key, { was, sinceMs: monotonicMs() });
    },
    forget,
    clear: () => all.clear(),
    reap: async () => {
      if (all.size === 0) return;
      const overdue = [...all].filter(([, { sinceMs }]) => monotonicMs() - sinceMs > timeoutMs);
      await endSessions(
        socketPath,
        overdue.map(([key]) => key),
      );
      const busy = new Set(await deleteServers(socketPath, [...all.keys()]));
      forget([...all.keys()].filter((key) => !busy.has(key)));
    },
  };
}

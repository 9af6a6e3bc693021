import type { ServerParameters } from "../core/server-parameters.ts";
import { deleteServers, endSessions } from "./runtime.ts";

/**
 * Servers that were removed and still have sessions: they are in maintenance, get no new requests, and are deleted
 * when the last session has ended. A reload hands them to the old worker.
 */
export interface Leaving {
  /** By `backend/server`, what each was when it left; null = not known. */
  servers(): ReadonlyMap<string, ServerParameters | null>;
  /** @param putAgain this HAProxy closes their connections only when they are put in maintenance once more. */
  add(key: string, was: ServerParameters | null, putAgain: boolean): void;
  /** They are wanted again, or gone. */
  forget(keys: Iterable<string>): void;
  clear(): void;
  /**
   * Deletes those that can be, and ends the sessions of those whose time is over. It takes a twentieth of the time at
   * most, however many they are and however often it is called.
   * @throws Error when the socket does not answer.
   */
  reap(): Promise<void>;
}

const PAUSE = 20;
const PAUSE_MS = 50;

export function leaving(options: {
  socketPath: string;
  /** How long sessions may go on, in milliseconds. */
  timeoutMs: number;
  monotonicMs: () => number;
}): Leaving {
  const { socketPath, timeoutMs, monotonicMs } = options;
  const all = new Map<string, { was: ServerParameters | null; sinceMs: number }>();
  let again = false;
  let dueMs = -Infinity;
  const forget = (keys: Iterable<string>): void => {
    for (const key of keys) all.delete(key);
  };
  return {
    servers: () => new Map([...all].map(([key, { was }]) => [key, was])),
    add: (key, was, putAgain) => {
      again = putAgain;
      all.set(key, { was, sinceMs: monotonicMs() });
    },
    forget,
    clear: () => all.clear(),
    reap: async () => {
      const startedMs = monotonicMs();
      if (all.size === 0 || startedMs < dueMs) return;
      const overdue = [...all].filter(([, { sinceMs }]) => monotonicMs() - sinceMs > timeoutMs);
      await endSessions(
        socketPath,
        overdue.map(([key]) => key),
      );
      const busy = new Set(await deleteServers(socketPath, [...all.keys()], again));
      forget([...all.keys()].filter((key) => !busy.has(key)));
      const endedMs = monotonicMs();
      dueMs = endedMs + Math.max(PAUSE_MS, PAUSE * (endedMs - startedMs));
    },
  };
}

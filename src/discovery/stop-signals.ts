import type { Stopping } from "../core/container.ts";

/** What an engine's inspection of a container tells about signals. */
export interface SignalFacts {
  /** Number of the signal that `docker stop` sends; 15 unless the image or the user says otherwise. */
  readonly stopSignal: number;
  /** By the engine's clock, in milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/**
 * Which containers were told to stop. This is the one thing that is remembered from events, since no list tells it;
 * it outlives a lost connection.
 */
export interface StopSignals {
  /** `atMs` is the event's time by the engine's clock (0 = not known), `sinceMs` the same moment by ours. */
  kill(event: { id: string; signal: number; atMs: number; sinceMs: number }): void;
  /** A container that was started again has nothing to leave for. */
  started(id: string): void;
  /** Containers whose signal means nothing until they are inspected. */
  undecided(): readonly string[];
  /** All containers that something is remembered of. */
  remembered(): readonly string[];
  /** What the inspection said; null = there is no such container any more. */
  learn(id: string, facts: SignalFacts | null): void;
  stopping(id: string): Stopping | null;
  /** A mark of this moment, for `keepOnly`. */
  moment(): number;
  /** Forgets all others, but for what was learnt after that moment. */
  keepOnly(ids: ReadonlySet<string>, before: number): void;
}

/** SIGKILL and SIGTERM end a container, whatever its own stop signal is. */
const ALWAYS = new Set([9, 15]);

interface Entry extends Stopping {
  readonly atMs: number;
  readonly decided: boolean;
  readonly moment: number;
}

export function stopSignals(): StopSignals {
  const entries = new Map<string, Entry>();
  /** The stop signal of a container never changes. */
  const known = new Map<string, { stopSignal: number; moment: number }>();
  let moment = 0;
  return {
    kill: ({ id, signal, atMs, sinceMs }) => {
      const own = known.get(id)?.stopSignal;
      const leaves = ALWAYS.has(signal) || signal === own;
      if (entries.get(id)?.decided === true || (!leaves && own !== undefined)) return;
      entries.set(id, { signal, atMs, sinceMs, decided: leaves, moment: ++moment });
    },
    started: (id) => void entries.delete(id),
    undecided: () => [...entries].filter(([, entry]) => !entry.decided).map(([id]) => id),
    remembered: () => [...entries.keys()],
    learn: (id, facts) => {
      if (facts !== null) known.set(id, { stopSignal: facts.stopSignal, moment: ++moment });
      const entry = entries.get(id);
      if (entry === undefined) return;
      const leaves = entry.decided || entry.signal === facts?.stopSignal;
      const isCurrent = facts !== null && (entry.atMs === 0 || facts.startedAtMs <= entry.atMs);
      if (leaves && isCurrent) entries.set(id, { ...entry, decided: true });
      else entries.delete(id);
    },
    stopping: (id) => {
      const entry = entries.get(id);
      return entry?.decided === true ? { signal: entry.signal, sinceMs: entry.sinceMs } : null;
    },
    moment: () => moment,
    keepOnly: (ids, before) => {
      for (const memory of [entries, known]) {
        for (const [id, { moment: at }] of memory) if (at <= before && !ids.has(id)) memory.delete(id);
      }
    },
  };
}

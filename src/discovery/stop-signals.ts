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
  /**
   * What the inspection said; null = there is no such container any more, "forbidden" = a proxy in front of the engine
   * refuses inspections: then only a signal that always means leaving counts.
   */
  learn(id: string, facts: SignalFacts | null | "forbidden"): void;
  stopping(id: string): Stopping | null;
  /** A mark of this moment, for `keepOnly`. */
  moment(): number;
  /**
   * Forgets all but the containers of this list, and those that were started again since their signal; keeps what was
   * learnt after that moment.
   * @param listed Start marks by id.
   */
  keepOnly(listed: ReadonlyMap<string, string>, before: number): void;
}

/** SIGKILL and SIGTERM end a container, whatever its own stop signal is. */
const ALWAYS = new Set([9, 15]);

interface Entry extends Stopping {
  readonly atMs: number;
  readonly decided: boolean;
  readonly moment: number;
  /**
   * The start mark of the last list before the signal; empty = not known. Only where it is not, times are compared:
   * the engine's clock may have been set between the start and the signal.
   */
  readonly mark: string;
}

export function stopSignals(): StopSignals {
  const entries = new Map<string, Entry>();
  /** The stop signal of a container never changes. */
  const known = new Map<string, { stopSignal: number; moment: number }>();
  let moment = 0;
  /** Start marks of the last list, but for those that a later start made void. */
  let marks = new Map<string, string>();
  const startedAt = new Map<string, number>();
  return {
    kill: ({ id, signal, atMs, sinceMs }) => {
      const own = known.get(id)?.stopSignal;
      const leaves = ALWAYS.has(signal) || signal === own;
      if (entries.get(id)?.decided === true || (!leaves && own !== undefined)) return;
      const mark = marks.get(id) ?? "";
      entries.set(id, { signal, atMs, sinceMs, decided: leaves, moment: ++moment, mark });
    },
    started: (id) => {
      entries.delete(id);
      marks.delete(id);
      startedAt.set(id, ++moment);
    },
    undecided: () => [...entries].filter(([, entry]) => !entry.decided).map(([id]) => id),
    remembered: () => [...entries.keys()],
    learn: (id, facts) => {
      const entry = entries.get(id);
      if (facts === "forbidden") {
        if (entry?.decided !== true) entries.delete(id);
        return;
      }
      if (facts !== null) known.set(id, { stopSignal: facts.stopSignal, moment: ++moment });
      if (entry === undefined) return;
      const leaves = entry.decided || entry.signal === facts?.stopSignal;
      const isTimeKnown = entry.mark === "" && entry.atMs !== 0;
      const isCurrent = facts !== null && (!isTimeKnown || facts.startedAtMs <= entry.atMs);
      if (leaves && isCurrent) entries.set(id, { ...entry, decided: true });
      else entries.delete(id);
    },
    stopping: (id) => {
      const entry = entries.get(id);
      return entry?.decided === true ? { signal: entry.signal, sinceMs: entry.sinceMs } : null;
    },
    moment: () => moment,
    keepOnly: (listed, before) => {
      for (const memory of [entries, known]) {
        for (const [id, { moment: at }] of memory) if (at <= before && !listed.has(id)) memory.delete(id);
      }
      for (const [id, { mark, moment: at }] of entries)
        if (at <= before && isOtherStart(mark, listed.get(id) ?? "")) entries.delete(id);
      for (const [id, at] of startedAt) if (at <= before) startedAt.delete(id);
      marks = new Map([...listed].filter(([id]) => !startedAt.has(id)));
    },
  };
}

/** Each start makes all parts of a mark anew; a network that comes or goes adds or takes one. */
function isOtherStart(mark: string, now: string): boolean {
  const parts = now.split(" ");
  return mark !== "" && now !== "" && !mark.split(" ").some((part) => parts.includes(part));
}

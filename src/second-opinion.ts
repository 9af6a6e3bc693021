import { type Ended, type Health, type Held, hold, type HoldState, NOTHING_HELD } from "./core/hold.ts";
import type { Roster } from "./core/roster.ts";
import type { Server } from "./core/server.ts";
import type { Snapshot, Vanished } from "./core/snapshot.ts";
import type { HeldServer } from "./core/status.ts";
import { withHeld } from "./core/with-held.ts";
import { dirtyFlag } from "./lib/dirty-flag.ts";
import type { Logger } from "./lib/logger.ts";
import { tellHolds } from "./tell-holds.ts";

/** Keeps servers that vanished from their source in the picture while HAProxy's own checks see them UP. */
export interface SecondOpinion {
  /**
   * The snapshots as they are to be merged.
   * @param roster what was wanted until now.
   */
  over(snapshots: readonly Snapshot[], roster: Roster | null): readonly Snapshot[];
  /** Lets a held server go, `BACKEND/NAME`; null = all. */
  release(server: string | null): void;
  /** Whether it was decided that this one is not held, or no longer. */
  isOver(vanished: Vanished): boolean;
  /** What is held now, sorted by name. */
  held(): readonly HeldServer[];
  /** Asks HAProxy, while there is something to ask, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SecondOpinionOptions {
  /** How long a server is held at most, in milliseconds; null = not at all. */
  readonly holdMs: number | null;
  /**
   * How HAProxy's servers are.
   * @throws Error when it does not answer.
   */
  readonly readHealth: (backends: ReadonlySet<string>) => Promise<(server: Server) => Health>;
  /** What `over` says has changed. */
  readonly onChange: () => void;
  readonly log: Logger;
  readonly monotonicMs: () => number;
  /** The time of day, for what is shown. */
  readonly now: () => number;
}

/** How often HAProxy is asked, and how many times as long as its answer took nothing is asked. */
const EVERY_MS = 1000;
const PAUSE = 20;

export function secondOpinion(options: SecondOpinionOptions): SecondOpinion {
  const { holdMs, readHealth, onChange, monotonicMs, now } = options;
  const tell = tellHolds(options.log);
  const asked = dirtyFlag();
  let state: HoldState = NOTHING_HELD;
  let last: { snapshots: readonly Snapshot[]; roster: Roster | null } = { snapshots: [], roster: null };

  function decide(health: ((server: Server) => Health) | null): readonly Ended[] {
    if (holdMs === null) return [];
    const step = hold(state, { ...last, health, nowMs: monotonicMs(), holdMs });
    ({ state } = step);
    tell(step, holdMs);
    return step.ended;
  }

  /** @returns how long not to ask again, in milliseconds. */
  async function ask(): Promise<number> {
    const startedMs = monotonicMs();
    const backends = new Set([...state.held.values()].map(({ server }) => server.backend));
    const health = await readHealth(backends).catch(() => null);
    const pauseMs = Math.max(EVERY_MS, PAUSE * (monotonicMs() - startedMs));
    if (decide(health).length > 0) onChange();
    const ends = [...state.held.keys()].map(({ sinceMs }) => sinceMs + (holdMs ?? 0));
    return Math.max(1, Math.min(pauseMs, least(ends) - monotonicMs()));
  }

  return {
    over: (snapshots, roster) => {
      last = { snapshots, roster };
      const before = state.held;
      decide(null);
      if ([...state.held.keys()].some((vanished) => !before.has(vanished))) asked.poke();
      return withHeld(snapshots, state);
    },
    release: (server) => {
      const chosen = [...state.held.values()].filter((one) => server === null || placeOf(one) === server);
      const gone = new Set(chosen.map(({ vanished }) => vanished));
      state = {
        held: new Map([...state.held].filter(([vanished]) => !gone.has(vanished))),
        ended: new Set([...state.ended, ...gone]),
      };
      const ended = chosen.map((held): Ended => ({ held, why: "let go by an operator" }));
      tell({ state, begun: [], ended }, holdMs ?? 0);
      if (gone.size > 0) onChange();
    },
    isOver: (vanished) => state.ended.has(vanished),
    held: () => [...state.held.values()].map(shown).toSorted(byName),
    run: async (signal) => {
      while (!signal.aborted) {
        if (state.held.size === 0) await asked.wait(signal);
        else await asked.wait(signal, await ask());
      }
    },
  };

  function shown({ server, vanished, isUp }: Held): HeldServer {
    const sinceMs = Math.round(now() - (monotonicMs() - vanished.sinceMs));
    return { server, why: vanished.why, isUp, sinceMs, untilMs: sinceMs + (holdMs ?? 0) };
  }
}

const least = (numbers: readonly number[]): number =>
  numbers.reduce((found, one) => Math.min(found, one), Infinity);

const placeOf = ({ server }: { server: Server }): string => `${server.backend}/${server.name}`;
const byName = (a: HeldServer, b: HeldServer): number => (placeOf(a) < placeOf(b) ? -1 : 1);

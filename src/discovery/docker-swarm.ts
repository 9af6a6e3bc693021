import type { Container } from "../core/container.ts";
import { swarmContainers } from "../core/swarm-containers.ts";
import { type Understudies, understudies } from "../core/swarm-understudies.ts";
import { isLeaving, type SwarmTask } from "../core/swarm.ts";
import { unsettled } from "../core/swarm-unsettled.ts";
import { SourceError } from "../lib/errors.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { parseSwarm } from "./swarm-lists.ts";

/** Whether the tasks of a whole swarm are followed: `auto` = if the engine is a manager and lets us ask. */
export type SwarmMode = "off" | "auto" | "on";

/** When to ask again, in milliseconds: Swarm tells of services and nodes, but not of tasks. */
export interface SwarmPace {
  /** While tasks come or go: well below the 3 s between Swarm's decision to end a task and the stop signal. */
  readonly movingMs: number;
  /** While they rest. What ends a task on another node unasked is seen so late; HAProxy's checks see it sooner. */
  readonly restingMs: number;
  /** Tasks that have not moved for so long, such as one that fits on no node, count as resting. */
  readonly patienceMs: number;
  /** An engine that was no manager may have become one. */
  readonly askAgainMs: number;
}

export const SWARM_PACE: SwarmPace = {
  movingMs: 1000,
  restingMs: 5000,
  patienceMs: 60_000,
  askAgainMs: 60_000,
};

/** The containers of the engine, and of the rest of its swarm. */
export interface SwarmReading {
  readonly here: readonly Container[];
  readonly elsewhere: readonly Container[];
  /** When to read again though nothing was heard; null = no need to. */
  readonly againAtMs: number | null;
}

/** Looks beyond an engine into its swarm. What it remembers outlives a lost connection. */
export interface SwarmReader {
  /**
   * Adds what Swarm knows to the engine's own list, which must have been read before.
   * @throws SourceError also when an engine that was a manager is none any more: its tasks may still run.
   */
  read(engine: DockerEngine, containers: readonly Container[], signal: AbortSignal): Promise<SwarmReading>;
}

export function swarmReader(options: {
  mode: Exclude<SwarmMode, "off">;
  pace: SwarmPace;
  /** Milliseconds by a clock that nobody sets. */
  now: () => number;
}): SwarmReader {
  const { mode, pace, now } = options;
  let isManager = false;
  let askAtMs = -Infinity;
  let ownNode: string | null = null;
  let leavingSince = new Map<string, number>();
  let doubles: Understudies = new Map();
  let rest = { mark: "", sinceMs: 0 };

  /** The memory of tasks that are no longer listed is dropped. */
  function rememberLeaving(tasks: readonly SwarmTask[]): void {
    const leaving = tasks.filter(isLeaving);
    leavingSince = new Map(leaving.map(({ id }) => [id, leavingSince.get(id) ?? now()]));
  }

  return {
    read: async (engine, containers, signal) => {
      if (!isManager && now() < askAtMs) return { here: containers, elsewhere: [], againAtMs: askAtMs };
      const answer = await engine.swarm(signal);
      if (answer.kind === "refused") {
        if (mode === "on") throw new SourceError(`docker-swarm is on, but ${answer.reason}`);
        if (isManager)
          throw new SourceError(`${answer.reason}; it was one. If that is meant, restart Rollcall`);
        askAtMs = now() + pace.askAgainMs;
        return { here: containers, elsewhere: [], againAtMs: askAtMs };
      }
      const swarm = parseSwarm(answer);
      isManager = true;
      rememberLeaving(swarm.tasks);
      const leavingSinceMs = ({ id }: SwarmTask): number => leavingSince.get(id) ?? now();
      doubles = understudies(swarm, doubles);
      const found = swarmContainers({
        containers,
        swarm,
        ownNode,
        understudies: doubles,
        leavingSinceMs,
      });
      ({ ownNode } = found);
      const { mark, isUpdating } = unsettled(swarm);
      if (mark !== rest.mark) rest = { mark, sinceMs: now() };
      const isMoving = isUpdating || (mark !== "" && now() - rest.sinceMs < pace.patienceMs);
      return { ...found, againAtMs: now() + (isMoving ? pace.movingMs : pace.restingMs) };
    },
  };
}

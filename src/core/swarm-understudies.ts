import { compareText } from "./compare-text.ts";
import { isAlive, type Swarm, type SwarmTask } from "./swarm.ts";

/** For tasks that run, by id: whether another one of the same slot ran before it and has the slot's name. */
export type Understudies = ReadonlyMap<string, boolean>;

/**
 * Finds tasks that were started while another one of their slot still ran, as in an update with `order: start-first`.
 * They go by a name of their own for as long as they live: a server that changed its name in the middle of its life
 * would be another server to HAProxy, and be checked anew.
 * @param earlier What an earlier call has found: it stays so.
 */
export function understudies({ tasks, nodes }: Swarm, earlier: Understudies): Understudies {
  const alive = tasks
    .filter((task) => isAlive(task) && nodes.get(task.nodeId)?.isDown !== true)
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || compareText(a.id, b.id));
  const held = new Set(alive.filter(({ id }) => earlier.get(id) === false).map(placeOf));
  return new Map(
    alive.map((task) => {
      const place = placeOf(task);
      const isUnderstudy = earlier.get(task.id) ?? held.has(place);
      if (!isUnderstudy) held.add(place);
      return [task.id, isUnderstudy];
    }),
  );
}

const placeOf = ({ serviceId, slot, nodeId }: SwarmTask): string => `${serviceId} ${slot ?? nodeId}`;

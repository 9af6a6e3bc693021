import { isAlive, isLeaving, type Swarm, type SwarmTask } from "./swarm.ts";

/** How far a swarm is from what is wanted of it. */
export interface Unsettled {
  /** Another text when tasks have got on; empty = all tasks are as they should be. */
  readonly mark: string;
  /** A service is being updated: whatever rests now goes on later. */
  readonly isUpdating: boolean;
}

/** A swarm tells of no change of its tasks; this says whether one is about to come. */
export function unsettled({ services, tasks, nodes }: Swarm): Unsettled {
  const moving = tasks.filter((task) => services.has(task.serviceId) && isMoving(task, nodes));
  return {
    mark: moving
      .map(({ id, desired, state }) => `${id} ${desired} ${state}`)
      .toSorted()
      .join(","),
    isUpdating: [...services.values()].some((service) => service.isUpdating),
  };
}

function isMoving(task: SwarmTask, nodes: Swarm["nodes"]): boolean {
  if (isLeaving(task)) return isAlive(task) && nodes.get(task.nodeId)?.isDown !== true;
  return task.desired === "ready" || task.state !== task.desired;
}

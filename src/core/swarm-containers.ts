import { type Container, type Stopping, SWARM_STOPS } from "./container.ts";
import { isAlive, isLeaving, type Swarm, type SwarmService, type SwarmTask } from "./swarm.ts";
import type { Understudies } from "./swarm-understudies.ts";

const SWARM = "com.docker.swarm";

/** The containers of a whole swarm. */
export interface SwarmContainers {
  /** Those of the manager's own engine; the ones that are tasks with what only Swarm knows of them. */
  readonly here: readonly Container[];
  /** Tasks on other nodes. */
  readonly elsewhere: readonly Container[];
  /** Id of the node that the engine is; null = not known, as long as it has had no task. */
  readonly ownNode: string | null;
}

/**
 * Puts the tasks of a swarm in the form of containers, beside those of the manager's own engine. Labels of the
 * service go before those of its containers. A task that Swarm wants to end is stopping at once: Swarm sends the stop
 * signal about three seconds later. Tasks on nodes that are down are left out.
 */
export function swarmContainers(options: {
  /** What the manager's own engine has. */
  containers: readonly Container[];
  swarm: Swarm;
  /** What an earlier call has found. */
  ownNode: string | null;
  /** See `understudies`. */
  understudies: Understudies;
  /** When it was first seen that Swarm wants an end of this task, in milliseconds since the epoch. */
  leavingSinceMs: (task: SwarmTask) => number;
}): SwarmContainers {
  const { containers, swarm } = options;
  const own = new Set(containers.map(({ id }) => id));
  const byContainer = new Map(swarm.tasks.map((task) => [task.containerId, task]));
  const isHere = ({ containerId }: SwarmTask): boolean => containerId !== null && own.has(containerId);
  const ownNode = swarm.tasks.find(isHere)?.nodeId ?? options.ownNode;
  const factsOf = (task: SwarmTask, service: SwarmService): Facts => ({
    task,
    service,
    address: swarm.nodes.get(task.nodeId)?.address ?? null,
    name: nameOf({ task, service, isUnderstudy: options.understudies.get(task.id) === true }),
    stopping: isLeaving(task) ? { signal: SWARM_STOPS, sinceMs: options.leavingSinceMs(task) } : null,
  });
  const here = containers.map((container) => {
    const task = byContainer.get(container.id);
    const service = task && swarm.services.get(task.serviceId);
    return task && service ? known(container, factsOf(task, service)) : container;
  });
  const elsewhere = swarm.tasks.flatMap((task) => {
    const service = swarm.services.get(task.serviceId);
    const isGone = !isAlive(task) || swarm.nodes.get(task.nodeId)?.isDown === true;
    // What its own engine does not list does not run, whatever the task says: that lags behind by a moment.
    if (isGone || isHere(task) || task.nodeId === ownNode || service === undefined) return [];
    return taskContainer(factsOf(task, service));
  });
  return { here, elsewhere, ownNode };
}

interface Facts {
  readonly task: SwarmTask;
  readonly service: SwarmService;
  /** `web.1`, with the node's id for a global service. */
  readonly name: string;
  /** Of its node. */
  readonly address: string | null;
  readonly stopping: Stopping | null;
}

/** A container of which the engine and Swarm know: its engine is the first to hear of its health and its end. */
function known(container: Container, facts: Facts): Container {
  return {
    ...container,
    ...hostOf(facts),
    createdAtMs: facts.task.createdAtMs,
    labels: labelsOf(container.labels, facts),
    stopping: earlier(container.stopping, facts.stopping),
  };
}

/**
 * A container of which only Swarm knows. What its image exposes is not among it, nor are labels of the image; a task
 * counts as running when its health check has passed, and as failed when it does not any more.
 */
function taskContainer(facts: Facts): readonly Container[] {
  const { task, stopping } = facts;
  if (task.containerId === null) return [];
  return [
    {
      id: task.containerId,
      ...hostOf(facts),
      names: [`${facts.name}.${task.id}`],
      createdAtMs: task.createdAtMs,
      startMark: task.id,
      labels: labelsOf(task.labels, facts),
      state: "running",
      health: task.state === "starting" ? "starting" : "none",
      networkMode: task.onHostNetwork ? "host" : "default",
      networks: task.networks,
      tcpPorts: [...new Set(task.published.map(({ privatePort }) => privatePort))].toSorted((a, b) => a - b),
      published: task.published,
      stopping,
    },
  ];
}

function nameOf(options: { task: SwarmTask; service: SwarmService; isUnderstudy: boolean }): string {
  const { task, service } = options;
  const name = `${service.name}.${task.slot ?? task.nodeId}`;
  return options.isUnderstudy ? `${name}-${(task.containerId ?? task.id).slice(0, 6)}` : name;
}

/** The last ones are those that every engine gives to a task's container. */
const labelsOf = (own: ReadonlyMap<string, string>, facts: Facts): ReadonlyMap<string, string> =>
  new Map([
    ...own,
    ...facts.service.labels,
    [`${SWARM}.service.name`, facts.service.name],
    [`${SWARM}.task.id`, facts.task.id],
    [`${SWARM}.task.name`, `${facts.name}.${facts.task.id}`],
  ]);

const hostOf = ({ address }: Facts): Pick<Container, "hostAddress"> =>
  address === null ? {} : { hostAddress: address };

function earlier(a: Stopping | null, b: Stopping | null): Stopping | null {
  if (a === null || b === null) return a ?? b;
  return a.sinceMs <= b.sinceMs ? a : b;
}

import type { ContainerNetwork, PublishedPort } from "./container.ts";

/** What a manager of Docker Swarm knows, as far as servers are concerned. Its texts are not trusted. */
export interface Swarm {
  /** By id. */
  readonly services: ReadonlyMap<string, SwarmService>;
  /** Those that are over, too: Swarm keeps some of each slot. */
  readonly tasks: readonly SwarmTask[];
  /** By id. */
  readonly nodes: ReadonlyMap<string, SwarmNode>;
}

export interface SwarmService {
  readonly id: string;
  readonly name: string;
  /** Labels of the service itself: `deploy.labels` in a stack file. No container carries them. */
  readonly labels: ReadonlyMap<string, string>;
  /** An update or a rollback goes on: task after task is replaced. */
  readonly isUpdating: boolean;
}

/** One container that Swarm wants on some node. */
export interface SwarmTask {
  readonly id: string;
  readonly serviceId: string;
  /** Empty until a node was found. */
  readonly nodeId: string;
  /** From 1; null = of a global service, which has one task on each node. */
  readonly slot: number | null;
  readonly createdAtMs: number;
  /** What Swarm wants: `running`, `ready` (to be started in a moment), `shutdown`, `remove`, `complete` (a job). */
  readonly desired: string;
  /** What the node said last: `starting`, `running`, `shutdown`, `failed` and many more. */
  readonly state: string;
  /** null = it has none yet. */
  readonly containerId: string | null;
  /** Container labels of the service as it was when the task was made. */
  readonly labels: ReadonlyMap<string, string>;
  /** Sorted by name; without the bridge by which tasks reach the outside. */
  readonly networks: readonly ContainerNetwork[];
  readonly onHostNetwork: boolean;
  /** TCP ports that are published on its node (`mode: host`). */
  readonly published: readonly PublishedPort[];
}

export interface SwarmNode {
  readonly id: string;
  /** As other nodes reach it; null = not known, or of no use to them: the loopback of a swarm of one node. */
  readonly address: string | null;
  /** Its managers have heard nothing of it for a while. */
  readonly isDown: boolean;
}

/** Swarm wants an end of the task: it stops, or has stopped. */
export const isLeaving = (task: SwarmTask): boolean =>
  task.desired === "shutdown" || task.desired === "remove";

/** The task has a container that runs, as far as its node has told. */
export const isAlive = (task: SwarmTask): boolean => task.state === "starting" || task.state === "running";

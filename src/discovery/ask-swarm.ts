import { messageOf } from "../lib/errors.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import type { SwarmLists } from "./swarm-lists.ts";

export type SwarmAnswer =
  | ({ readonly kind: "swarm" } & SwarmLists)
  /** The engine is no manager, or a proxy in front of it forbids it: why, in words for operators. */
  | { readonly kind: "refused"; readonly reason: string };

/** What we use of dockerode. */
export interface SwarmApi {
  listServices(options: object): Promise<unknown>;
  listTasks(options: object): Promise<unknown>;
  listNodes(options: object): Promise<unknown>;
}

/** @throws what dockerode throws, when that is no refusal but trouble. */
export async function askSwarm(
  api: SwarmApi,
  { abortSignal, endpoint }: { abortSignal: AbortSignal; endpoint: DockerEndpoint },
): Promise<SwarmAnswer> {
  try {
    // Services first: of one that comes meanwhile the tasks are left out, and its event is still to be heard.
    const services = await api.listServices({ abortSignal });
    const tasks = await api.listTasks({ abortSignal });
    return { kind: "swarm", services, tasks, nodes: await api.listNodes({ abortSignal }) };
  } catch (thrown) {
    const reason = refusal(thrown, endpoint);
    if (reason === null) throw thrown;
    return { kind: "refused", reason };
  }
}

/** A manager that starts, or that finds no leader, answers with status 503 like an engine without Swarm: no refusal. */
function refusal(thrown: unknown, { shown }: DockerEndpoint): string | null {
  const { statusCode = 0 } = thrown as { statusCode?: number };
  if (statusCode === 401 || statusCode === 403) {
    return `${shown} forbids it: a proxy in front of the Docker socket must allow SERVICES, TASKS and NODES`;
  }
  const isNoManager = /Worker nodes can't|swarm (?:init|join)|not part of a swarm/i.test(messageOf(thrown));
  const isNone = [404, 405, 406].includes(statusCode) || (statusCode === 503 && isNoManager);
  return isNone ? `the Docker engine at ${shown} is no manager of a swarm` : null;
}

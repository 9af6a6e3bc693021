import { type Container, type SelfPlace, shortId } from "../core/container.ts";
import { isLocalEndpoint, type DockerEndpoint } from "./docker-endpoint.ts";

/**
 * Where Rollcall stands among an engine's containers.
 * @returns `warning`: our own container is not among them, or null.
 */
export function selfPlace(options: {
  containers: readonly Container[];
  /** Tasks of the engine's swarm on other nodes; we may be one of them. */
  elsewhere?: readonly Container[];
  /** Id of our own container, or the beginning of it; undefined = we run in none. */
  selfId: string | undefined;
  endpoint: DockerEndpoint;
}): { readonly self: SelfPlace; readonly warning: string | null } {
  const { containers, selfId, endpoint } = options;
  const engineHost = endpoint.kind === "unix" ? null : endpoint.host;
  if (selfId === undefined) {
    return {
      self: isLocalEndpoint(endpoint) ? { kind: "host" } : { kind: "elsewhere", engineHost },
      warning: null,
    };
  }
  const isOwn = ({ id }: Container): boolean => id.startsWith(selfId);
  const task = options.elsewhere?.find(isOwn);
  if (task?.networkMode === "host") return { self: { kind: "elsewhere", engineHost }, warning: null };
  const own = containers.find(isOwn) ?? task;
  if (own === undefined) {
    const warning = `our own container ${shortId(selfId)} is not one of this engine (${endpoint.shown}): it counts as another host's`;
    return { self: { kind: "elsewhere", engineHost }, warning };
  }
  const joined = /^container:(.*)$/s.exec(own.networkMode)?.[1];
  const home = containers.find(({ id }) => id === joined) ?? own;
  const networks = home.networks.map(({ name }) => name);
  const gateway = home.networks.find((network) => network.gateway !== null)?.gateway ?? null;
  return {
    self: { kind: "container", networks, hostNetwork: home.networkMode === "host", gateway },
    warning: null,
  };
}

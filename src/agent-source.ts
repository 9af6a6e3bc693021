import type { ContainerSettings, Publishing } from "./core/container.ts";
import { refuse } from "./core/result.ts";
import type { Source } from "./discovery/source.ts";
import { messageOf, SourceError } from "./lib/errors.ts";
import type { Config } from "./options.ts";
import { agentDockerOptions, type PartsOptions } from "./parts.ts";
import { routeToEtcd } from "./registration/host-address.ts";

/** The containers of this host with the addresses at which other hosts reach them. */
export interface AgentSource {
  readonly source: Source;
  /** This host's address, as far as it is known without a look at the engine; null = not known. */
  hostAddress(): string | null;
}

/** What the option `address` means for reading containers. */
export function agentContainerSettings(
  { address }: Pick<Config, "address">,
  route: Publishing["route"],
): Required<Pick<ContainerSettings, "publishing">> {
  const isMode = address === "auto" || address === "container" || address === "host";
  return {
    publishing: isMode ? { mode: address, given: null, route } : { mode: "host", given: address, route },
  };
}

/** @throws Error when Docker is off. */
export async function agentSource(options: PartsOptions): Promise<AgentSource> {
  const { config, log } = options;
  const docker = agentDockerOptions(options);
  const { dockerSource } = await import("./discovery/docker.ts");
  let route: Publishing["route"] = refuse("this host's address was not looked for yet");
  const { publishing } = agentContainerSettings(config, route);
  // The source reads it each time that it reads the list of containers.
  const live: Publishing = {
    ...publishing,
    get route() {
      return route;
    },
  };
  const inner = dockerSource({ ...docker, settings: { ...docker.settings, publishing: live } });
  const findRoute = async (): Promise<void> => {
    const before = route;
    try {
      route = await routeToEtcd(config["etcd-endpoints"] ?? []);
    } catch (thrown) {
      // What was found once holds: the engine's containers are to be followed, whatever becomes of etcd.
      if (!before.ok) throw new SourceError(messageOf(thrown), { cause: thrown });
    }
    const found = route.ok ? route.value : null;
    if (found !== null && JSON.stringify(route) !== JSON.stringify(before)) {
      log.info(
        { address: found.address, etcd: found.to },
        "found this host's address: etcd is reached from it",
      );
    }
  };
  return {
    source: {
      name: inner.name,
      run: async (publish, signal) => {
        if (live.given === null) await findRoute();
        await inner.run(publish, signal);
      },
    },
    hostAddress: () => {
      if (live.given !== null) return live.given;
      return route.ok && docker.selfId === undefined ? route.value.address : null;
    },
  };
}

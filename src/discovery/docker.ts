import type { ContainerSettings } from "../core/container.ts";
import { parseBoolean } from "../core/server-fields.ts";
import { SourceError } from "../lib/errors.ts";
import { containerVariables } from "./container-variables.ts";
import { parseDockerEndpoint, type DockerConnection } from "./docker-endpoint.ts";
import { DOCKER_TIMEOUTS, dockerEngine, type DockerTimeouts } from "./docker-engine.ts";
import { dockerError } from "./docker-error.ts";
import { SWARM_PACE, swarmReader, type SwarmMode, type SwarmPace } from "./docker-swarm.ts";
import { watchEngine, type DockerPace } from "./docker-watch.ts";
import type { Source } from "./source.ts";
import { stopSignals } from "./stop-signals.ts";

export interface DockerSourceOptions {
  readonly connection: DockerConnection;
  /** `settings.source` is the source's name. */
  readonly settings: Omit<ContainerSettings, "self">;
  /** Id of the container that we run in, or its beginning; undefined = we run in none. See `ownContainerId`. */
  readonly selfId?: string | undefined;
  /** Whether the tasks of the engine's swarm are servers too; not given = `off`. */
  readonly swarm?: SwarmMode;
  /** Milliseconds by a clock that nobody sets: drains and pauses are measured with it, and nothing else. */
  readonly now: () => number;
  readonly pace?: Partial<DockerPace & DockerTimeouts & SwarmPace>;
}

const PACE: DockerPace & DockerTimeouts & SwarmPace = {
  ...DOCKER_TIMEOUTS,
  ...SWARM_PACE,
  pingEveryMs: 5000,
  relistMs: 60_000,
  gapMs: 20,
  afterwardsMs: [100, 1000, 5000],
};

/**
 * The containers of one engine, read from their labels.
 *
 * A run opens the event stream first and lists then, so that nothing is missed in between. Any event means "list
 * again"; one list runs at a time. The calls are: events, the list of running containers, ping, and inspect for a
 * container that got a signal of which it is not known whether it is its stop signal, or whose environment variables
 * are read. A proxy in front of the socket has to let these through. With `swarm` services, tasks and nodes are listed
 * too. Stop signals are remembered over runs.
 */
export function dockerSource(options: DockerSourceOptions): Source {
  const { settings, now, selfId, swarm: mode = "off" } = options;
  const pace = { ...PACE, ...options.pace };
  const signals = stopSignals();
  const variables = readsVariables(settings)
    ? containerVariables(({ labels }) => mayBeIn(labels.get(`${settings.labelPrefix}.enable`)))
    : null;
  const swarm = mode === "off" ? null : swarmReader({ mode, pace, now });
  return {
    name: settings.source,
    run: async (publish, signal) => {
      const endpoint = parseDockerEndpoint(options.connection);
      if (!endpoint.ok) throw new SourceError(endpoint.reason);
      const engine = await dockerEngine(endpoint.value, pace);
      const watch = {
        engine,
        endpoint: endpoint.value,
        settings,
        selfId,
        signals,
        variables,
        swarm,
        pace,
        now,
        publish,
      };
      try {
        await watchEngine(watch, signal);
      } catch (thrown) {
        if (!signal.aborted) throw dockerError(thrown, endpoint.value);
      } finally {
        engine.close();
      }
    },
  };
}

const readsVariables = ({ foreign }: DockerSourceOptions["settings"]): boolean =>
  foreign?.registrator === true || foreign?.nginxProxy === true;

/** A container that is switched off, or whose label is wrong anyway, is not asked about. */
function mayBeIn(enable: string | undefined): boolean {
  const read = parseBoolean(enable ?? "true");
  return read.ok && read.value;
}

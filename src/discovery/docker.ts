import type { ContainerSettings } from "../core/container.ts";
import { SourceError } from "../lib/errors.ts";
import { parseDockerEndpoint, type DockerConnection } from "./docker-endpoint.ts";
import { DOCKER_TIMEOUTS, dockerEngine, type DockerTimeouts } from "./docker-engine.ts";
import { dockerError } from "./docker-error.ts";
import { watchEngine, type DockerPace } from "./docker-watch.ts";
import type { Source } from "./source.ts";
import { stopSignals } from "./stop-signals.ts";

export interface DockerSourceOptions {
  readonly connection: DockerConnection;
  /** `settings.source` is the source's name. */
  readonly settings: Omit<ContainerSettings, "self">;
  /** Id of the container that we run in, or its beginning; undefined = we run in none. See `ownContainerId`. */
  readonly selfId?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly pace?: Partial<DockerPace & DockerTimeouts>;
}

const PACE: DockerPace & DockerTimeouts = {
  ...DOCKER_TIMEOUTS,
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
 * container that got a signal of which it is not known whether it is its stop signal. A proxy in front of the socket
 * has to let these through. Stop signals are remembered over runs.
 */
export function dockerSource(options: DockerSourceOptions): Source {
  const { settings, now, selfId } = options;
  const pace = { ...PACE, ...options.pace };
  const signals = stopSignals();
  return {
    name: settings.source,
    run: async (publish, signal) => {
      const endpoint = parseDockerEndpoint(options.connection);
      if (!endpoint.ok) throw new SourceError(endpoint.reason);
      const engine = await dockerEngine(endpoint.value, pace);
      const watch = { engine, endpoint: endpoint.value, settings, selfId, signals, pace, now, publish };
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

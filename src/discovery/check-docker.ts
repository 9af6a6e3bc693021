import type { Container, SelfPlace } from "../core/container.ts";
import { messageOf } from "../lib/errors.ts";
import { parseDockerEndpoint, type DockerConnection } from "./docker-endpoint.ts";
import { dockerEngine } from "./docker-engine.ts";
import { selfPlace } from "./docker-self.ts";
import { SWARM_PACE, swarmReader, type SwarmMode } from "./docker-swarm.ts";

/** What a doctor wants to know of the Docker engine. */
export type DockerReport =
  | {
      readonly ok: true;
      /** Socket path, or host and port. */
      readonly endpoint: string;
      /** Versions of the engine and of its API; null = a proxy in front of it hides them, which does no harm. */
      readonly version: { readonly engine: string; readonly api: string } | null;
      /** Number of running containers. */
      readonly running: number;
      /** Number of tasks on other nodes of its swarm. */
      readonly elsewhere: number;
      readonly self: SelfPlace;
      /** Of the engine itself, as it lists them. */
      readonly containers: readonly Container[];
      /** What deserves a look, or null. */
      readonly warning: string | null;
    }
  | { readonly ok: false; readonly endpoint: string; readonly reason: string };

/** Tries the calls that the source needs; never throws. */
export async function checkDocker(options: {
  connection: DockerConnection;
  selfId?: string | undefined;
  swarm?: SwarmMode;
  signal: AbortSignal;
}): Promise<DockerReport> {
  const { signal, selfId, swarm: mode = "off" } = options;
  const swarm = mode === "off" ? null : swarmReader({ mode, pace: SWARM_PACE, now: () => 0 });
  const parsed = parseDockerEndpoint(options.connection);
  if (!parsed.ok) return { ok: false, endpoint: options.connection.host ?? "", reason: parsed.reason };
  const endpoint = parsed.value;
  const done = new AbortController();
  try {
    const engine = await dockerEngine(endpoint);
    try {
      await engine.ping(signal);
      const version = await engine.version(signal);
      await engine.events(AbortSignal.any([signal, done.signal]));
      const containers = await engine.list(signal);
      const elsewhere = (await swarm?.read(engine, containers, signal))?.elsewhere ?? [];
      const place = selfPlace({ containers, elsewhere, selfId, endpoint });
      const counts = { running: containers.length, elsewhere: elsewhere.length };
      return { ok: true, endpoint: endpoint.shown, version, containers, ...counts, ...place };
    } finally {
      done.abort();
      engine.close();
    }
  } catch (thrown) {
    return { ok: false, endpoint: endpoint.shown, reason: messageOf(thrown) };
  }
}

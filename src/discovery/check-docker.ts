import type { SelfPlace } from "../core/container.ts";
import { messageOf } from "../lib/errors.ts";
import { parseDockerEndpoint, type DockerConnection } from "./docker-endpoint.ts";
import { dockerEngine } from "./docker-engine.ts";
import { selfPlace } from "./docker-self.ts";

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
      readonly self: SelfPlace;
      /** What deserves a look, or null. */
      readonly warning: string | null;
    }
  | { readonly ok: false; readonly endpoint: string; readonly reason: string };

/** Tries the calls that the source needs; never throws. */
export async function checkDocker(options: {
  connection: DockerConnection;
  selfId?: string | undefined;
  signal: AbortSignal;
}): Promise<DockerReport> {
  const { signal, selfId } = options;
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
      const place = selfPlace({ containers, selfId, endpoint });
      return { ok: true, endpoint: endpoint.shown, version, running: containers.length, ...place };
    } finally {
      done.abort();
      engine.close();
    }
  } catch (thrown) {
    return { ok: false, endpoint: endpoint.shown, reason: messageOf(thrown) };
  }
}

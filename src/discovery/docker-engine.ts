import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import Docker from "dockerode";
import split2 from "split2";
import type { Container } from "../core/container.ts";
import { SourceError } from "../lib/errors.ts";
import type { ForeignTools } from "../core/foreign-tools.ts";
import { parseVariables, type Variables } from "./docker-variables.ts";
import { dockerCall } from "./docker-call.ts";
import { parseContainer } from "./docker-container.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { EVENT_FILTERS, signalNumber, SWARM_EVENT_FILTERS } from "./docker-event.ts";
import { sshAgent } from "./docker-ssh.ts";
import type { SignalFacts } from "./stop-signals.ts";
import { askSwarm, type SwarmAnswer, type SwarmApi } from "./ask-swarm.ts";

/** How long each call may take, in milliseconds. An engine that hangs never says so, and dockerode waits for ever. */
export interface DockerTimeouts {
  readonly pingMs: number;
  /** Until the event stream is open. */
  readonly eventsMs: number;
  readonly listMs: number;
  readonly inspectMs: number;
}

export const DOCKER_TIMEOUTS: DockerTimeouts = {
  pingMs: 3000,
  eventsMs: 5000,
  listMs: 10_000,
  inspectMs: 5000,
};

/** The few calls to an engine that Rollcall makes. All throw `SourceError`, also when `signal` aborts. */
export interface DockerEngine {
  /**
   * `GET /events`: opens the stream, resolves with its lines. The loop over them throws when the stream breaks.
   * `withSwarm`: services and nodes of its swarm too.
   */
  events(signal: AbortSignal, withSwarm?: boolean): Promise<AsyncIterable<string>>;
  /** `GET /containers/json`: those that run, the paused and the restarting ones included. */
  list(signal: AbortSignal): Promise<readonly Container[]>;
  /**
   * `GET /containers/ID/json`, for what the list does not tell; null = no such container, "forbidden" = a proxy in
   * front of the engine does not let it through, as it should not where environment variables hold secrets.
   */
  inspect(id: string, signal: AbortSignal): Promise<SignalFacts | null | "forbidden">;
  /** `GET /services`, `/tasks` and `/nodes`, which only a manager of Docker Swarm answers. */
  swarm(signal: AbortSignal): Promise<SwarmAnswer>;
  /** The same call, for the environment variables that these tools read. */
  variables(id: string, tools: ForeignTools, signal: AbortSignal): Promise<Variables>;
  /** `GET /_ping` */
  ping(signal: AbortSignal): Promise<void>;
  /** `GET /version`; null = a proxy in front of the engine does not let it through. */
  version(signal: AbortSignal): Promise<{ engine: string; api: string } | null>;
  /** Closes what is open. */
  close(): void;
}

/** What we use of dockerode, whose own types miss that `ping` and `version` take options, and promise too much. */
interface Api extends SwarmApi {
  getEvents(options: object): Promise<Readable>;
  listContainers(options: object): Promise<unknown>;
  getContainer(id: string): { inspect(options: object): Promise<unknown> };
  ping(options: object): Promise<unknown>;
  version(options: object): Promise<unknown>;
}

/**
 * Prepares calls to an engine; nothing is sent yet. Certificates are read each time, so that renewed ones are found.
 * @throws SourceError when they cannot be read.
 */
export async function dockerEngine(
  endpoint: DockerEndpoint,
  timeouts: DockerTimeouts = DOCKER_TIMEOUTS,
): Promise<DockerEngine> {
  const agent = agentFor(endpoint);
  const api = await connect(endpoint, agent);
  const call = dockerCall(endpoint);
  const inspect = (id: string, signal: AbortSignal): Promise<unknown> => {
    const attempt = (abortSignal: AbortSignal): Promise<unknown> =>
      api.getContainer(id).inspect({ abortSignal }).catch(inspectionRefused);
    return call({ what: "inspect", timeoutMs: timeouts.inspectMs, signal, attempt });
  };
  return {
    events: async (signal, withSwarm = false) => {
      const filters = withSwarm ? SWARM_EVENT_FILTERS : EVENT_FILTERS;
      const attempt = (abortSignal: AbortSignal): Promise<Readable> =>
        api.getEvents({ filters, abortSignal });
      return lines(await call({ what: "events", timeoutMs: timeouts.eventsMs, signal, attempt }));
    },
    list: async (signal) => {
      const attempt = (abortSignal: AbortSignal): Promise<unknown> => api.listContainers({ abortSignal });
      const answer = await call({
        what: "the list of containers",
        timeoutMs: timeouts.listMs,
        signal,
        attempt,
      });
      return parseList(answer, endpoint);
    },
    inspect: async (id, signal) => parseFacts(await inspect(id, signal)),
    variables: async (id, tools, signal) => {
      const answer = await inspect(id, signal);
      return answer === null || answer === "forbidden" ? answer : parseVariables(answer, tools);
    },
    swarm: (signal) => {
      const attempt = (abortSignal: AbortSignal): Promise<SwarmAnswer> =>
        askSwarm(api, { abortSignal, endpoint });
      return call({ what: "services, tasks and nodes", timeoutMs: timeouts.listMs, signal, attempt });
    },
    ping: async (signal) => {
      const attempt = (abortSignal: AbortSignal): Promise<unknown> => api.ping({ abortSignal });
      await call({ what: "ping", timeoutMs: timeouts.pingMs, signal, attempt });
    },
    version: async (signal) => {
      const attempt = (abortSignal: AbortSignal): Promise<unknown> =>
        api.version({ abortSignal }).catch(nullIfForbidden);
      return parseVersion(await call({ what: "version", timeoutMs: timeouts.pingMs, signal, attempt }));
    },
    close: () => agent.destroy(),
  };
}

/**
 * Of its own, so that everything that is open can be closed; without kept connections, since one to an engine that was
 * replaced meanwhile would go on answering.
 */
function agentFor(endpoint: DockerEndpoint): HttpAgent {
  if (endpoint.kind === "ssh") return sshAgent(endpoint);
  const usesTls = endpoint.kind === "tcp" && endpoint.certPath !== null;
  return usesTls ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
}

/**
 * Every setting is given, also as undefined: what is left out, dockerode takes from DOCKER_HOST and its companions in
 * the process's environment, which go before a socket path.
 */
async function connect(endpoint: DockerEndpoint, agent: HttpAgent): Promise<Api> {
  const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  const common = {
    ...none,
    socketPath: undefined,
    timeout: undefined,
    version: undefined,
    pathPrefix: "/",
    agent,
  };
  const files =
    endpoint.kind === "tcp" && endpoint.certPath !== null ? await certificates(endpoint.certPath) : null;
  const options =
    endpoint.kind === "unix"
      ? { ...common, protocol: "http" as const, socketPath: endpoint.path }
      : {
          ...common,
          ...files,
          protocol: files === null ? ("http" as const) : ("https" as const),
          host: endpoint.kind === "ssh" ? "docker" : endpoint.host,
          port: endpoint.kind === "ssh" ? 80 : endpoint.port,
        };
  try {
    return new Docker(options) as unknown as Api;
  } catch (cause) {
    throw new SourceError("DOCKER_HOST or DOCKER_CERT_PATH of the environment cannot be used", { cause });
  }
}

async function certificates(folder: string): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }> {
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, file));
    } catch (cause) {
      throw new SourceError(`cannot read ${join(folder, file)} (DOCKER_CERT_PATH)`, { cause });
    }
  };
  const [ca, cert, key] = await Promise.all(["ca.pem", "cert.pem", "key.pem"].map(read));
  return { ca: ca ?? Buffer.of(), cert: cert ?? Buffer.of(), key: key ?? Buffer.of() };
}

/** The longest line of the event stream, in characters: an event tells all labels of its container. */
const MAX_LINE = 4 * 1024 * 1024;

/** A chunk may hold half a line, or several. */
function lines(stream: Readable): AsyncIterable<string> {
  const split = pipeline(stream, split2({ maxLength: MAX_LINE }), () => undefined);
  // The loop over the lines hears of errors; one that comes before the loop has begun must not end the process.
  return split.on("error", () => undefined);
}

function parseList(answer: unknown, endpoint: DockerEndpoint): readonly Container[] {
  if (!Array.isArray(answer))
    throw new SourceError(`what ${endpoint.shown} answers is no list of containers`);
  return answer.map(parseContainer);
}

function parseFacts(answer: unknown): SignalFacts | null | "forbidden" {
  if (answer === null || answer === "forbidden") return answer;
  const { Config, State } = answer as { Config?: { StopSignal?: string }; State?: { StartedAt?: string } };
  const startedAtMs = Date.parse(State?.StartedAt ?? "");
  return {
    stopSignal: signalNumber(Config?.StopSignal ?? "") ?? 15,
    startedAtMs: Number.isNaN(startedAtMs) ? 0 : startedAtMs,
  };
}

function parseVersion(answer: unknown): { engine: string; api: string } | null {
  if (answer === null) return null;
  const { Version, ApiVersion } = answer as { Version?: unknown; ApiVersion?: unknown };
  return { engine: String(Version), api: String(ApiVersion) };
}

function inspectionRefused(thrown: unknown): null | "forbidden" {
  if (hasStatus(thrown, 404)) return null;
  if (hasStatus(thrown, 401, 403)) return "forbidden";
  throw thrown;
}

function nullIfForbidden(thrown: unknown): null {
  if (hasStatus(thrown, 401, 403)) return null;
  throw thrown;
}

const hasStatus = (thrown: unknown, ...statuses: readonly number[]): boolean =>
  statuses.includes((thrown as { statusCode?: number }).statusCode ?? 0);

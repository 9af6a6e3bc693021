import { messageOf, SourceError } from "../lib/errors.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { explainTls } from "./docker-tls.ts";

/** Anything that went wrong between us and an engine, in words for operators; the original is the cause. */
export function dockerError(thrown: unknown, endpoint: DockerEndpoint): SourceError {
  if (thrown instanceof SourceError) return thrown;
  return new SourceError(explain(thrown, endpoint), { cause: thrown });
}

function explain(thrown: unknown, endpoint: DockerEndpoint): string {
  const code = propertyOf(thrown, "code");
  const status = propertyOf(thrown, "statusCode");
  const { shown } = endpoint;
  if (typeof status === "number") return explainStatus(status, messageOf(thrown), shown);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `no Docker socket at ${shown}: is Docker running, and (in a container) is its socket mounted?`;
    case "EACCES":
    case "EPERM":
      return `permission denied on ${shown}: add the user to the docker group, or give the container the socket's group (--group-add)`;
    case "ECONNREFUSED":
      return `nobody listens at ${shown}: is the Docker engine running?`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name of the Docker host ${shown} cannot be resolved`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `the Docker host ${shown} cannot be reached`;
    case "ECONNRESET":
    case "EPIPE":
      return `the Docker engine at ${shown} closed the connection${doubt(endpoint)}`;
    default:
      return explainTls(String(code), endpoint) ?? `cannot talk to the Docker engine at ${shown}`;
  }
}

/** An engine's refusal of a certificate may get lost when it closes the connection right after it. */
function doubt(endpoint: DockerEndpoint): string {
  if (endpoint.kind !== "tcp" || endpoint.certPath === null) return "";
  return `: does it accept ${endpoint.certPath}/cert.pem?`;
}

function explainStatus(status: number, message: string, shown: string): string {
  if (status === 400 && message.includes("HTTPS server")) {
    return `the Docker engine at ${shown} wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH`;
  }
  if (status === 401 || status === 403) {
    return `${shown} forbids it: a proxy in front of the Docker socket must allow CONTAINERS, EVENTS and PING`;
  }
  return `the Docker engine at ${shown} answered with status ${status}`;
}

function propertyOf(thrown: unknown, name: "code" | "statusCode"): unknown {
  return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
}

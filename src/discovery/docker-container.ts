import type {
  Container,
  ContainerHealth,
  ContainerNetwork,
  ContainerState,
  PublishedPort,
} from "../core/container.ts";
import { compareText } from "../core/compare-text.ts";

const STATES: readonly ContainerState[] = [
  "created",
  "running",
  "paused",
  "restarting",
  "removing",
  "exited",
  "dead",
];
const HEALTHS: readonly ContainerHealth[] = ["none", "starting", "healthy", "unhealthy"];

/**
 * One entry of the answer to `GET /containers/json`, of any version of the API: an entry has no health of its own
 * before 1.52 (it stands in `Status`, and not while the container is paused), null in place of an empty list, and a
 * published port once for each address it is bound to. Whatever is missing or of another type counts as empty.
 *
 * The list says nothing about the time of the start; the ids of the network endpoints are new after each.
 * @throws Error when the entry has no id: an answer like that is not one of an engine.
 */
export function parseContainer(entry: unknown): Container {
  const record = asRecord(entry);
  const id = asText(record["Id"]);
  if (!/^[0-9a-f]{12,64}$/.test(id)) throw new Error(`a container without an id: ${JSON.stringify(entry)}`);
  const networks = Object.entries(asRecord(asRecord(record["NetworkSettings"])["Networks"]));
  const ports = asList(record["Ports"])
    .map(asRecord)
    .filter((port) => asText(port["Type"]) === "tcp");
  const state = STATES.find((known) => known === asText(record["State"]).toLowerCase());
  return {
    id,
    names: asList(record["Names"]).map((name) => asText(name).replace(/^\//, "")),
    createdAtMs: (asNumber(record["Created"]) ?? 0) * 1000,
    startMark: networks
      .map(([, network]) => asText(asRecord(network)["EndpointID"]).slice(0, 12))
      .toSorted()
      .join(" "),
    labels: new Map(Object.entries(asRecord(record["Labels"])).map(([name, value]) => [name, asText(value)])),
    state: state ?? "dead",
    health: parseHealth(record),
    networkMode: asText(asRecord(record["HostConfig"])["NetworkMode"]),
    networks: networks.map(parseNetwork).toSorted((a, b) => compareText(a.name, b.name)),
    tcpPorts: [...new Set(ports.flatMap((port) => asNumber(port["PrivatePort"]) ?? []))].toSorted(
      (a, b) => a - b,
    ),
    published: ports.flatMap(parsePublished),
    stopping: null,
  };
}

function parseHealth(record: Readonly<Record<string, unknown>>): ContainerHealth {
  const field = asText(asRecord(record["Health"])["Status"]);
  const own = HEALTHS.find((known) => known === field);
  if (own !== undefined) return own;
  const status = /\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(asText(record["Status"]))?.[1];
  return HEALTHS.find((known) => known === status) ?? "none";
}

function parseNetwork([name, value]: readonly [string, unknown]): ContainerNetwork {
  const network = asRecord(value);
  const text = (key: string): string | null => asText(network[key]) || null;
  return {
    name,
    id: asText(network["NetworkID"]),
    address: text("IPAddress"),
    address6: text("GlobalIPv6Address"),
    gateway: text("Gateway") ?? text("IPv6Gateway"),
  };
}

function parsePublished(port: Readonly<Record<string, unknown>>): readonly PublishedPort[] {
  const privatePort = asNumber(port["PrivatePort"]);
  const publicPort = asNumber(port["PublicPort"]);
  if (privatePort === undefined || publicPort === undefined || publicPort === 0) return [];
  return [{ privatePort, publicPort, hostIp: asText(port["IP"]) }];
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");
const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

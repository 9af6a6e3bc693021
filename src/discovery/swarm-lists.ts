import { parseHost, parsePort } from "../core/address.ts";
import type { ContainerNetwork, PublishedPort } from "../core/container.ts";
import { compareText } from "../core/compare-text.ts";
import type { Swarm, SwarmNode, SwarmService, SwarmTask } from "../core/swarm.ts";

/** What `GET /services`, `/tasks` and `/nodes` answered, just as it came. */
export interface SwarmLists {
  readonly services: unknown;
  readonly tasks: unknown;
  readonly nodes: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what a manager answers. Whatever is missing or of another type counts as empty.
 * @throws Error when an answer is no list, or an entry has no id: that is not what a manager answers.
 */
export function parseSwarm(answer: SwarmLists): Swarm {
  const services = entries("services", answer.services).map(parseService);
  const nodes = entries("nodes", answer.nodes).map(parseNode);
  return {
    services: new Map(services.map((service) => [service.id, service])),
    tasks: entries("tasks", answer.tasks).map(parseTask),
    nodes: new Map(nodes.map((node) => [node.id, node])),
  };
}

function entries(what: string, answer: unknown): readonly Fields[] {
  if (!Array.isArray(answer)) throw new Error(`the answer is no list of ${what}`);
  return answer.map((entry: unknown) => {
    const fields = asRecord(entry);
    if (!ID.test(asText(fields["ID"]))) throw new Error(`an entry without an id in the list of ${what}`);
    return fields;
  });
}

const ID = /^[0-9A-Za-z]{1,64}$/;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

function parseService(service: Fields): SwarmService {
  const spec = asRecord(service["Spec"]);
  const update = asText(asRecord(service["UpdateStatus"])["State"]);
  return {
    id: asText(service["ID"]),
    name: asText(spec["Name"]),
    labels: asLabels(spec["Labels"]),
    isUpdating: update === "updating" || update === "rollback_started",
  };
}

function parseTask(task: Fields): SwarmTask {
  const status = asRecord(task["Status"]);
  const containerId = asText(asRecord(status["ContainerStatus"])["ContainerID"]);
  const slot = asNumber(task["Slot"]) ?? 0;
  const attachments = asList(task["NetworksAttachments"]).map(parseAttachment);
  const ports = asList(asRecord(status["PortStatus"])["Ports"]);
  return {
    id: asText(task["ID"]),
    serviceId: asText(task["ServiceID"]),
    nodeId: asText(task["NodeID"]),
    slot: slot > 0 ? slot : null,
    createdAtMs: Date.parse(asText(task["CreatedAt"])) || 0,
    desired: asText(task["DesiredState"]),
    state: asText(status["State"]),
    containerId: CONTAINER_ID.test(containerId) ? containerId : null,
    labels: asLabels(asRecord(asRecord(task["Spec"])["ContainerSpec"])["Labels"]),
    networks: attachments.toSorted((a, b) => compareText(a.name, b.name)),
    onHostNetwork: attachments.some(({ name }) => name === "host"),
    published: ports.flatMap(parsePublished),
  };
}

function parseAttachment(attachment: unknown): ContainerNetwork {
  const network = asRecord(asRecord(attachment)["Network"]);
  // With the length of the network's prefix: 10.0.1.9/24.
  const addresses = asList(asRecord(attachment)["Addresses"]).map((one) => asText(one).replace(/\/.*$/s, ""));
  return {
    name: asText(asRecord(network["Spec"])["Name"]),
    id: asText(network["ID"]),
    address: addresses.find((one) => one !== "" && !one.includes(":")) ?? null,
    address6: addresses.find((one) => one.includes(":")) ?? null,
    gateway: null,
  };
}

/** A port that the routing mesh publishes is not the task's: it leads to any of them. */
function parsePublished(entry: unknown): readonly PublishedPort[] {
  const port = asRecord(entry);
  const [privatePort, publicPort] = [asPort(port["TargetPort"]), asPort(port["PublishedPort"])];
  if (port["Protocol"] !== "tcp" || port["PublishMode"] !== "host") return [];
  return privatePort === null || publicPort === null ? [] : [{ privatePort, publicPort, hostIp: "" }];
}

function parseNode(node: Fields): SwarmNode {
  const status = asRecord(node["Status"]);
  const address = parseHost(asText(status["Addr"]));
  const isUseful = address.ok && address.value !== "::1" && !address.value.startsWith("127.");
  return {
    id: asText(node["ID"]),
    address: isUseful ? address.value : null,
    // "unknown" is said of all nodes for a moment when another manager takes the lead.
    isDown: asText(status["State"]) === "down",
  };
}

function asPort(value: unknown): number | null {
  const port = parsePort(String(value));
  return port.ok ? port.value : null;
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");
const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asRecord = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
const asLabels = (value: unknown): ReadonlyMap<string, string> =>
  new Map(Object.entries(asRecord(value)).map(([name, text]) => [name, asText(text)]));

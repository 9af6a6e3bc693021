import type { Container, ContainerNetwork, ContainerSettings, SelfPlace } from "./container.ts";
import { accept, refuse, type Result } from "./result.ts";

/** Labels that name the project or stack whose networks are called PROJECT_NAME. */
const PROJECT_LABELS = ["com.docker.compose.project", "com.docker.stack.namespace"];

/** Swarm's routing mesh: tasks and the load balancer may share it, but it is not the one that is meant. */
export const MESH = "ingress";

/**
 * Whose network's address is taken: the label's, else the option's, else the only one that Rollcall can reach; never
 * a random one. A short name `front` also finds `PROJECT_front` of the container's own Compose project or stack.
 * `networks` are those of `container`, or of another one whose network it shares.
 */
export function chooseNetwork(options: {
  container: Container;
  networks: readonly ContainerNetwork[];
  /** The label's network, or null. */
  labelled: string | null;
  settings: ContainerSettings;
}): Result<ContainerNetwork> {
  const { networks, settings } = options;
  const wanted = options.labelled ?? settings.network;
  if (wanted === null) return sharedNetwork(networks, settings);
  const found = namesOf(wanted, options.container)
    .map((name) => networks.find((network) => network.name === name))
    .find((network) => network !== undefined);
  return found === undefined
    ? refuse(`it is not on network ${wanted}, but on ${listNetworks(networks)}`)
    : accept(found);
}

function sharedNetwork(
  networks: readonly ContainerNetwork[],
  { labelPrefix, self }: ContainerSettings,
): Result<ContainerNetwork> {
  if (self.kind === "elsewhere") {
    return refuse(
      `Rollcall shares no network with this engine's containers: set ${labelPrefix}.address or ${labelPrefix}.network`,
    );
  }
  const reached = reachedFrom(self);
  const common = networks.filter(({ name }) => reached === "all" || reached.includes(name));
  const shared = common.length === 1 ? common : common.filter(({ name }) => name !== MESH);
  const [only] = shared;
  if (only !== undefined && shared.length === 1) return accept(only);
  if (only !== undefined) {
    return refuse(
      `${shared.length} networks come into question (${listNetworks(shared)}): set ${labelPrefix}.network`,
    );
  }
  const ours = reached === "all" ? "" : `, Rollcall on ${reached.map(shownNetwork).join(", ") || "none"}`;
  return refuse(
    `it shares no network with Rollcall (it is on ${listNetworks(networks)}${ours}): connect them, or set ${labelPrefix}.network or ${labelPrefix}.address`,
  );
}

/** The host reaches all its bridge networks; a container only its own. */
const reachedFrom = (self: SelfPlace & { kind: "host" | "container" }): "all" | readonly string[] =>
  self.kind === "host" || self.hostNetwork ? "all" : self.networks;

/** All names that `wanted` may mean, the literal one first. */
function namesOf(wanted: string, container: Container): readonly string[] {
  const projects = PROJECT_LABELS.flatMap((label) => container.labels.get(label) ?? []);
  return [wanted, ...projects.map((project) => `${project}_${wanted}`)];
}

/** Their names, fit to be shown. */
export const listNetworks = (networks: readonly ContainerNetwork[]): string =>
  networks
    .slice(0, 10)
    .map(({ name }) => shownNetwork(name))
    .join(", ");

/** A network's name, fit to be shown. */
export const shownNetwork = (name: string): string => name.slice(0, 64).replace(/[^A-Za-z0-9_.-]/g, "?");

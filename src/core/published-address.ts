import { reachable, type Reach } from "./container-address.ts";
import { chooseNetwork, listNetworks, MESH, shownNetwork } from "./container-network.ts";
import type { ServerWish } from "./container-wish.ts";
import type { Container, ContainerNetwork, ContainerSettings } from "./container.ts";
import type { HostView } from "./host-address.ts";
import { publishedPort } from "./published-port.ts";
import { accept, refuse, type Result } from "./result.ts";

/** What the address of one port is found from. */
interface Question {
  readonly container: Container;
  /** The container whose network it is. */
  readonly home: Container;
  readonly port: number;
  readonly wish: ServerWish;
  readonly settings: ContainerSettings;
  readonly host: HostView;
}

/**
 * Finds the address and port at which other hosts reach `port` of a container; refused rather than guessed where it is
 * not clear. Labels go before the options. The reach says why it was taken.
 */
export function publishedAddress(
  question: Omit<Question, "home"> & { home: Container | null },
): Result<Reach> {
  const { home, port, wish } = question;
  const { mode } = question.host;
  if (wish.address !== null && wish.address !== "host") {
    return reachable(wish.address, port, `its label says so`);
  }
  if (home === null) return waiting("the container whose network it shares does not run");
  const known = { ...question, home };
  if (home.networkMode === "host") return publishedPort(known) ?? unpublished(known);
  if (wish.address === "host")
    return publishedPort(known) ?? refuse(`port ${port} is not published: publish it`);
  if (home.networkMode === "none") return refuse("its network mode is none, so it has no address");
  if (wish.network !== null) return own(known, named(known), "its label names");
  if (mode === "container") return ownOnly(known);
  return mode === "auto" ? byItself(known) : (publishedPort(known) ?? unpublished(known));
}

const SPANS = "Swarm spans over its nodes";

/** What is the only right one: never a bridge's address, which no other host has a route to. */
function byItself(question: Question): Result<Reach> {
  const { settings, home } = question;
  if (settings.network !== null) return own(question, named(question), "the option names");
  const [spanning, ...more] = home.networks.filter(spansHosts);
  if (spanning !== undefined && more.length === 0) return own(question, accept(spanning), SPANS);
  if (spanning !== undefined) return several(question, [spanning, ...more]);
  return publishedPort(question) ?? unpublished(question);
}

/** Its own address, because an operator said that all of them have a route. */
function ownOnly(question: Question): Result<Reach> {
  const { settings, home } = question;
  if (settings.network !== null) return own(question, named(question), "the option names");
  const spanning = home.networks.filter(spansHosts);
  const networks = spanning.length > 0 ? spanning : home.networks.filter(({ name }) => name !== MESH);
  const [only, ...more] = networks;
  if (only === undefined && home.networks.length === 0) return waiting("it is on no network");
  if (only === undefined)
    return refuse("it is on no network but Swarm's routing mesh, which has many addresses for it");
  if (more.length > 0) return several(question, networks);
  return own(question, accept(only), spanning.length > 0 ? SPANS : "is its only one");
}

/**
 * The list of containers does not tell the drivers of their networks, but their ids: what Swarm manages, and makes known
 * to all of its nodes, has 25 letters and digits; what one engine made for itself has 64 hexadecimal digits.
 */
const spansHosts = ({ id, name }: ContainerNetwork): boolean =>
  name !== MESH && /^[0-9a-z]{25}$/.test(id) && id !== name;

function named({ container, home, wish, settings }: Question): Result<ContainerNetwork> {
  return chooseNetwork({ container, networks: home.networks, labelled: wish.network, settings });
}

function own({ port }: Question, network: Result<ContainerNetwork>, why: string): Result<Reach> {
  if (!network.ok) return network;
  const shown = shownNetwork(network.value.name);
  const address = network.value.address ?? network.value.address6;
  if (address === null) return waiting(`it has no address on network ${shown}`);
  return reachable(address, port, `its own on network ${shown}, which ${why}`);
}

function unpublished({ home, port, host, settings }: Question): Result<Reach> {
  const { networks } = home;
  // Without a network nothing is published, either.
  if (networks.every(({ address, address6 }) => (address ?? address6) === null))
    return waiting("it is on no network");
  const label = `${settings.labelPrefix}.network`;
  if (host.mode === "host") return refuse(`port ${port} is not published: publish it, or set ${label}`);
  return refuse(
    `port ${port} is not published, and no other host is known to reach network ${listNetworks(networks)}: publish the port; or, where other hosts have a route to the network, set ${label}, or --address container for all`,
  );
}

function several({ settings }: Question, networks: readonly ContainerNetwork[]): Result<Reach> {
  return refuse(
    `${networks.length} networks come into question (${listNetworks(networks)}): set ${settings.labelPrefix}.network`,
  );
}

const waiting = (reason: string): Result<Reach> => accept({ kind: "waiting", reason });

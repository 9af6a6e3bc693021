import { parseHost } from "./address.ts";
import { chooseNetwork, shownNetwork } from "./container-network.ts";
import type { ServerWish } from "./container-wish.ts";
import type { Container, ContainerSettings, PublishedPort, SelfPlace } from "./container.ts";
import { accept, refuse, type Result } from "./result.ts";

/** Where a container's port can be reached. */
export type Reach =
  | {
      readonly kind: "reachable";
      readonly address: string;
      readonly port: number;
      /** Why it is this one, in words; empty = it goes without saying. */
      readonly why: string;
    }
  /** Its network gave it no address, yet or any more. */
  | { readonly kind: "waiting"; readonly reason: string };

const LOOPBACK = "127.0.0.1";
/** A port that is bound to one of these is open on all addresses of the host. */
export const ANY_ADDRESS = new Set(["", "0.0.0.0", "::"]);

/**
 * Finds the address and port under which `port` of `container` is reached; refused rather than guessed where it is
 * not clear. `home` is the container whose network it is: another one for `network_mode: container:…`, and null when
 * that one does not run.
 */
export function containerAddress(options: {
  container: Container;
  home: Container | null;
  port: number;
  wish: ServerWish;
  settings: ContainerSettings;
}): Result<Reach> {
  const { home, port, wish, settings } = options;
  const { labelPrefix, self } = settings;
  if (wish.address !== null && wish.address !== "host") return reachable(wish.address, port);
  if (home === null) {
    return accept({ kind: "waiting", reason: `the container whose network it shares does not run` });
  }
  const onHostNetwork = home.networkMode === "host";
  if (wish.address === "host") {
    const published = onHostNetwork ? [{ privatePort: port, publicPort: port, hostIp: "" }] : home.published;
    return publishedAddress({ published, port, self, node: home.hostAddress });
  }
  if (onHostNetwork) {
    if (isOnHost(self) && home.hostAddress === undefined) return reachable(LOOPBACK, port);
    return refuse(
      `it is on the host's network and has no address of its own: set ${labelPrefix}.address (a fixed address, or host)`,
    );
  }
  if (home.networkMode === "none") return refuse("its network mode is none, so it has no address");
  const { networks } = home;
  if (networks.length === 0) return accept({ kind: "waiting", reason: "it is on no network" });
  const network = chooseNetwork({ container: options.container, networks, labelled: wish.network, settings });
  if (!network.ok) return network;
  const address = network.value.address ?? network.value.address6;
  if (address !== null) return reachable(address, port);
  return accept({
    kind: "waiting",
    reason: `it has no address on network ${shownNetwork(network.value.name)}`,
  });
}

const isOnHost = (self: SelfPlace): boolean =>
  self.kind === "host" || (self.kind === "container" && self.hostNetwork);

/** A reach, if the address is one. */
export function reachable(address: string, port: number, why = ""): Result<Reach> {
  const host = parseHost(address);
  return host.ok ? accept({ kind: "reachable", address: host.value, port, why }) : host;
}

function publishedAddress(options: {
  published: readonly PublishedPort[];
  port: number;
  self: SelfPlace;
  /** Address of the node, for a task of Docker Swarm. */
  node: string | undefined;
}): Result<Reach> {
  const { port, self, node } = options;
  const bindings = options.published.filter((one) => one.privatePort === port);
  if (bindings.length === 0) return refuse(`address host: port ${port} is not published on the host`);
  const open = bindings.find((one) => ANY_ADDRESS.has(one.hostIp));
  const hostAddress = node ?? addressOfHost(self);
  const isOurHost = isOnHost(self) && node === undefined;
  if (open !== undefined && hostAddress !== null) return reachable(hostAddress, open.publicPort);
  const bound = bindings.find(
    (one) => !ANY_ADDRESS.has(one.hostIp) && (isOurHost || !isLoopback(one.hostIp)),
  );
  if (bound !== undefined) return reachable(bound.hostIp, bound.publicPort);
  if (open !== undefined)
    return refuse(`address host: the host's address is not known, give it in place of "host"`);
  return refuse(
    `address host: port ${port} is published on the host's loopback only, which cannot be reached from here`,
  );
}

/** The host as Rollcall reaches it. */
function addressOfHost(self: SelfPlace): string | null {
  if (isOnHost(self)) return LOOPBACK;
  if (self.kind === "container") return self.gateway;
  return self.kind === "elsewhere" ? self.engineHost : null;
}

export const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

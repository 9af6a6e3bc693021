import { quote } from "./address.ts";
import { ANY_ADDRESS, isLoopback, reachable, type Reach } from "./container-address.ts";
import type { Container, ContainerSettings } from "./container.ts";
import type { HostView } from "./host-address.ts";
import { refuse, type Result } from "./result.ts";

interface Binding {
  readonly hostIp: string;
  readonly publicPort: number;
}

/**
 * The address of a container's host, or of its node in a swarm, and the port under which `port` is published there; all
 * ports of a container on the host's network are.
 * @returns null when the port is not published.
 */
export function publishedPort(options: {
  home: Container;
  port: number;
  host: HostView;
  settings: ContainerSettings;
}): Result<Reach> | null {
  const { home, port, host } = options;
  const isOnHost = home.networkMode === "host";
  const bindings: readonly Binding[] = isOnHost
    ? [{ hostIp: "", publicPort: port }]
    : home.published.filter(({ privatePort }) => privatePort === port);
  if (bindings.length === 0) return null;
  const what = isOnHost ? "it is on the host's network" : `port ${port} is published`;
  const open = bindings.filter(({ hostIp }) => ANY_ADDRESS.has(hostIp));
  if (open.length > 0) return onAll({ ...options, what, open });
  const isOutside = (hostIp: string): boolean => !isLoopback(hostIp) && !host.gateways.has(hostIp);
  const outside = bindings.find(({ hostIp }) => isOutside(hostIp));
  if (outside !== undefined) {
    return reachable(outside.hostIp, outside.publicPort, `one of the host's, since ${what} on it`);
  }
  const shown = bindings.map(({ hostIp }) => quote(hostIp)).join(", ");
  return refuse(
    `port ${port} is published for this host only (${shown}): publish it on all addresses, or on one that other hosts reach`,
  );
}

function onAll(options: {
  home: Container;
  host: HostView;
  settings: ContainerSettings;
  what: string;
  open: readonly Binding[];
}): Result<Reach> {
  const { home, host, settings, what, open } = options;
  const node = home.hostAddress;
  if (node !== undefined) return reachable(node, portFor(node, open), `its node's, since ${what}`);
  if (!host.address.ok)
    return refuse(`${what}, but ${host.address.reason}, or set ${settings.labelPrefix}.address`);
  const { address } = host.address.value;
  return reachable(address, portFor(address, open), `the host's, since ${what}`);
}

/** The engine may publish a port under different numbers for IPv4 and IPv6. */
function portFor(address: string, open: readonly Binding[]): number {
  const family = address.includes(":") ? "::" : "0.0.0.0";
  return (open.find(({ hostIp }) => hostIp === family) ?? open[0])?.publicPort ?? 0;
}

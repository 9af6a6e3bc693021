import { parseHost } from "./address.ts";
import type { Container, ContainerSettings, Publishing, SelfPlace } from "./container.ts";
import { accept, refuse, type Result } from "./result.ts";

/** Where other hosts reach this one, and how that is known, in words. */
export interface HostAddress {
  readonly address: string;
  readonly why: string;
}

/** This host as others see it. */
export interface HostView {
  readonly mode: Publishing["mode"];
  readonly address: Result<HostAddress>;
  /** Addresses of the host on its own container networks: no other host reaches them. */
  readonly gateways: ReadonlySet<string>;
}

const MEND = "set address to the one at which other hosts reach this one (--address ADDRESS)";

/**
 * Finds this host's address: the one that was given, or the one from which etcd is reached.
 * @param containers of this engine.
 * @returns null when nothing is published for other hosts.
 */
export function hostView(
  { publishing, self }: Pick<ContainerSettings, "publishing" | "self">,
  containers: readonly Container[],
): HostView | null {
  if (publishing === undefined) return null;
  const networks = containers.flatMap((container) => container.networks);
  const gateways = new Set(networks.flatMap(({ gateway }) => gateway ?? []));
  const address = hostAddress({ publishing, self, gateways });
  return {
    mode: publishing.mode,
    gateways,
    address: address.ok ? address : refuse(`${address.reason}: ${MEND}`),
  };
}

function hostAddress(options: {
  publishing: Publishing;
  self: SelfPlace;
  gateways: ReadonlySet<string>;
}): Result<HostAddress> {
  const { self, gateways } = options;
  const { given, route } = options.publishing;
  if (given !== null) return accept({ address: given, why: "as the option address says" });
  if (self.kind === "elsewhere") return engineHost(self.engineHost);
  if (self.kind === "container" && !self.hostNetwork) {
    return refuse(
      "the agent is in a container that is not on the host's network, and cannot see its host's address",
    );
  }
  if (!route.ok) return route;
  const { address, to } = route.value;
  if (gateways.has(address)) {
    return refuse(
      `etcd at ${to} is reached from ${address}, which is this host's address on a container network`,
    );
  }
  return accept({ address, why: `from which etcd at ${to} is reached` });
}

/** A name without a dot may be that of a proxy on a network of containers. */
function engineHost(name: string | null): Result<HostAddress> {
  const host = name === null ? null : parseHost(name);
  if (host?.ok === true && /[.:]/.test(host.value))
    return accept({ address: host.value, why: "where the engine is" });
  return refuse("the agent is not on the engine's host, whose address is not known");
}

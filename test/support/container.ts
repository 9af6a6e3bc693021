import type { Container, ContainerNetwork, ContainerSettings } from "../../src/core/container.ts";

/** A running container on one network, port 80 exposed, switched on; with whatever is given in place of that. */
export function container(
  given: Omit<Partial<Container>, "labels"> & { labels?: Record<string, string> } = {},
): Container {
  const { labels, ...rest } = given;
  return {
    id: "3f2a".padEnd(64, "0"),
    names: ["web"],
    createdAtMs: 1000,
    startMark: "e1",
    labels: new Map(Object.entries({ "rollcall.enable": "true", ...labels })),
    state: "running",
    health: "none",
    networkMode: "front",
    networks: [network("front", "172.18.0.5")],
    tcpPorts: [80],
    published: [],
    stopping: null,
    ...rest,
  };
}

export function network(name: string, address: string | null): ContainerNetwork {
  return { name, id: `id-${name}`, address, address6: null, gateway: "172.18.0.1" };
}

/** Rollcall on the host, opt-in, everything else as by default. */
export const containerSettings: ContainerSettings = {
  source: "docker",
  labelPrefix: "rollcall",
  enableByDefault: false,
  defaultBackend: "webserver",
  network: null,
  self: { kind: "host" },
};

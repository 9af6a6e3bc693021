import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import type { Container, ContainerSettings, SelfPlace } from "../../src/core/container.ts";
import { hostPort } from "../../src/core/server.ts";
import { container, containerSettings, network } from "../support/container.ts";

const onHost: SelfPlace = { kind: "host" };
const inFront: SelfPlace = {
  kind: "container",
  networks: ["front"],
  hostNetwork: false,
  gateway: "172.18.0.1",
};
const inHostNetwork: SelfPlace = { kind: "container", networks: ["host"], hostNetwork: true, gateway: null };
const far: SelfPlace = { kind: "elsewhere", engineHost: "docker7.example.org" };
const farUnknown: SelfPlace = { kind: "elsewhere", engineHost: null };

/** What became of a container: its address, or why not. */
function outcome(
  given: Container,
  settings: Partial<ContainerSettings>,
  others: readonly Container[] = [],
): string {
  const all = { ...containerSettings, ...settings };
  const { servers, waiting, quarantined } = containerServers([given, ...others], all, 0);
  return [
    ...servers.map(hostPort),
    ...waiting.map(({ reason }) => `waiting: ${reason}`),
    ...quarantined.map(({ reason }) => reason),
  ].join("; ");
}

const front = network("front", "172.18.0.5");
const back = network("back", "172.19.0.5");
const ingress = network("ingress", "10.0.0.5");

describe("network", () => {
  const label = (name: string) => ({ labels: { "rollcall.network": name } });
  const shop = { "com.docker.compose.project": "shop" };
  const table: readonly (readonly [
    string,
    Parameters<typeof container>[0],
    Partial<ContainerSettings>,
    string,
  ])[] = [
    ["shared with Rollcall", { networks: [back, front] }, { self: inFront }, "172.18.0.5:80"],
    [
      "none shared",
      { networks: [back] },
      { self: inFront },
      "it shares no network with Rollcall (it is on back, Rollcall on front): connect them, or set rollcall.network or rollcall.address",
    ],
    [
      "several shared",
      { networks: [back, front] },
      { self: { ...inFront, networks: ["back", "front"] } },
      "2 networks come into question (back, front): set rollcall.network",
    ],
    ["the only one, from the host", { networks: [back] }, { self: onHost }, "172.19.0.5:80"],
    ["the only one, from the host's network", { networks: [back] }, { self: inHostNetwork }, "172.19.0.5:80"],
    [
      "several, from the host",
      { networks: [back, front] },
      { self: onHost },
      "2 networks come into question (back, front): set rollcall.network",
    ],
    ["by label", { networks: [back, front], ...label("back") }, { self: inFront }, "172.19.0.5:80"],
    ["by option", { networks: [back, front] }, { self: onHost, network: "front" }, "172.18.0.5:80"],
    [
      "label before option",
      { networks: [back, front], ...label("back") },
      { network: "front" },
      "172.19.0.5:80",
    ],
    [
      "not on it",
      { networks: [back, front], ...label("side") },
      { self: inFront },
      "it is not on network side, but on back, front",
    ],
    [
      "short name of its Compose project",
      {
        networks: [network("shop_front", "172.20.0.9"), back],
        labels: { ...shop, "rollcall.network": "front" },
      },
      {},
      "172.20.0.9:80",
    ],
    [
      "short name of its stack, by option",
      { networks: [network("s_net", "10.0.1.9"), back], labels: { "com.docker.stack.namespace": "s" } },
      { network: "net" },
      "10.0.1.9:80",
    ],
    [
      "not the short name of another project",
      { networks: [network("blog_front", "172.20.0.9")], labels: { ...shop, "rollcall.network": "front" } },
      {},
      "it is not on network front, but on blog_front",
    ],
    [
      "the literal name goes first",
      {
        networks: [network("shop_front", "172.20.0.9"), front],
        labels: { ...shop, "rollcall.network": "front" },
      },
      {},
      "172.18.0.5:80",
    ],
    [
      "Swarm's routing mesh is none",
      { networks: [ingress, front] },
      { self: { ...inFront, networks: ["front", "ingress"] } },
      "172.18.0.5:80",
    ],
    ["on none", { networks: [], networkMode: "front" }, { self: inFront }, "waiting: it is on no network"],
    [
      "mode none",
      { networks: [network("none", null)], networkMode: "none" },
      {},
      "its network mode is none, so it has no address",
    ],
    [
      "of another host",
      { networks: [front] },
      { self: far },
      "Rollcall shares no network with this engine's containers: set rollcall.address or rollcall.network",
    ],
    ["of another host, by label", { networks: [front], ...label("front") }, { self: far }, "172.18.0.5:80"],
    [
      "an address that is none",
      { networks: [network("front", "0.0.0.0")] },
      {},
      "address 0.0.0.0 is no server's address",
    ],
  ];
  test.each(table)("%s", (_, given, settings, expected) => {
    expect(outcome(container(given), settings)).toBe(expected);
  });
});

describe("address label", () => {
  const labels = { "rollcall.address": "host" };
  const published = (hostIp: string) => [{ privatePort: 80, publicPort: 8080, hostIp }];
  const table: readonly (readonly [string, SelfPlace, string])[] = [
    ["0.0.0.0", onHost, "127.0.0.1:8080"],
    ["::", onHost, "127.0.0.1:8080"],
    ["", inHostNetwork, "127.0.0.1:8080"],
    ["192.0.2.7", onHost, "192.0.2.7:8080"],
    ["127.0.0.1", onHost, "127.0.0.1:8080"],
    ["0.0.0.0", inFront, "172.18.0.1:8080"],
    ["192.0.2.7", inFront, "192.0.2.7:8080"],
    [
      "127.0.0.1",
      inFront,
      "address host: port 80 is published on the host's loopback only, which cannot be reached from here",
    ],
    ["0.0.0.0", far, "docker7.example.org:8080"],
    ["0.0.0.0", farUnknown, 'address host: the host\'s address is not known, give it in place of "host"'],
  ];
  test.each(table)("host: published on %j, Rollcall %j", (hostIp, self, expected) => {
    expect(outcome(container({ labels, published: published(hostIp) }), { self })).toBe(expected);
  });

  test("host: not published", () => {
    const one = container({ labels, published: [{ privatePort: 81, publicPort: 8080, hostIp: "" }] });
    expect(outcome(one, {})).toBe("address host: port 80 is not published on the host");
  });

  test("a fixed address needs no network, and the port is one of that address", () => {
    const fixed = { "rollcall.address": "198.51.100.7", "rollcall.port": "30080" };
    expect(outcome(container({ labels: fixed, networks: [] }), { self: far })).toBe("198.51.100.7:30080");
  });
});

describe("host network", () => {
  const host = (labels: Record<string, string>) =>
    container({ networkMode: "host", networks: [network("host", null)], tcpPorts: [], labels });
  const port = { "rollcall.port": "9000" };
  const table: readonly (readonly [Record<string, string>, SelfPlace, string])[] = [
    [port, onHost, "127.0.0.1:9000"],
    [port, inHostNetwork, "127.0.0.1:9000"],
    [
      port,
      inFront,
      "it is on the host's network and has no address of its own: set rollcall.address (a fixed address, or host)",
    ],
    [{ ...port, "rollcall.address": "host" }, inFront, "172.18.0.1:9000"],
    [{ ...port, "rollcall.address": "192.0.2.9" }, inFront, "192.0.2.9:9000"],
    [{}, onHost, "no port label and no exposed port: set rollcall.port"],
  ];
  test.each(table)("%j, Rollcall %j", (labels, self, expected) => {
    expect(outcome(host(labels), { self })).toBe(expected);
  });
});

describe("the network of another container", () => {
  const joined = (labels = {}) =>
    container({
      networkMode: `container:${"b".repeat(64)}`,
      networks: [],
      tcpPorts: [],
      names: ["joined"],
      labels,
    });
  const home = container({ id: "b".repeat(64), names: ["home"], labels: { "rollcall.enable": "no" } });

  test("has its address", () => {
    expect(outcome(joined({ "rollcall.port": "81" }), { self: inFront }, [home])).toBe("172.18.0.5:81");
  });

  test("waits for it", () => {
    expect(outcome(joined({ "rollcall.port": "81" }), {})).toBe(
      "waiting: the container whose network it shares does not run",
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import type { Container, ContainerSettings, Publishing, SelfPlace } from "../../src/core/container.ts";
import { hostView } from "../../src/core/host-address.ts";
import { hostPort } from "../../src/core/server.ts";
import { container, containerSettings, network } from "../support/container.ts";

const route: Publishing["route"] = { ok: true, value: { address: "10.0.0.8", to: "10.0.0.1" } };
const auto: Publishing = { mode: "auto", given: null, route };
const own: Publishing = { ...auto, mode: "container" };
const host: Publishing = { ...auto, mode: "host" };
const given = (address: string): Publishing => ({ ...host, given: address });

const inBridge: SelfPlace = { kind: "container", networks: ["x"], hostNetwork: false, gateway: "172.18.0.1" };
const inHostNetwork: SelfPlace = { kind: "container", networks: ["host"], hostNetwork: true, gateway: null };
const MEND = "set address to the one at which other hosts reach this one (--address ADDRESS)";

/** What becomes of a container: its address and why, or why not. */
function outcome(one: Container, settings: Partial<ContainerSettings>): string {
  const all = { ...containerSettings, ...settings };
  const { servers, waiting, quarantined, notes } = containerServers([one], all, 0);
  return [
    ...servers.map(hostPort),
    ...notes.map(({ reason }) => reason.slice(reason.indexOf(": ") + 2)),
    ...waiting.map(({ reason }) => `waiting: ${reason}`),
    ...quarantined.map(({ reason }) => reason),
  ].join("; ");
}

type Given = Parameters<typeof container>[0];
const front = network("front", "172.18.0.5");
const overlay = { ...network("app_web", "10.0.1.8"), id: "yqr4b2av6o8kgxawd8fufnfo5", gateway: null };
const mesh = { ...network("ingress", "10.0.0.4"), id: "gatp5jgnygkjt03nxr89jfcjl", gateway: null };
const publish = (hostIp: string, publicPort = 32_768) => ({ privatePort: 80, publicPort, hostIp });
const labels = (more: Record<string, string>) => ({ labels: more });
const open: Given = { published: [publish("0.0.0.0"), publish("::")] };

describe("auto", () => {
  test.each<readonly [string, Given, string]>([
    ["a published port", open, "10.0.0.8:32768; the host's, since port 80 is published"],
    [
      "no published port on a bridge",
      {},
      "port 80 is not published, and no other host is known to reach network front: publish the port; or, where other hosts have a route to the network, set rollcall.network, or --address container for all",
    ],
    [
      "another port published",
      { published: [{ ...publish(""), privatePort: 81 }] },
      "^port 80 is not published",
    ],
    [
      "the host's network",
      { networkMode: "host", networks: [network("host", null)] },
      "10.0.0.8:80; the host's, since it is on the host's network",
    ],
    [
      "an overlay",
      { networks: [overlay] },
      "10.0.1.8:80; its own on network app_web, which Swarm spans over its nodes",
    ],
    [
      "an overlay before a published port",
      { networks: [front, overlay], ...open },
      "10.0.1.8:80; its own on network app_web, which Swarm spans over its nodes",
    ],
    [
      "the routing mesh does not count",
      { networks: [mesh, overlay] },
      "10.0.1.8:80; its own on network app_web, which Swarm spans over its nodes",
    ],
    [
      "two overlays",
      { networks: [overlay, { ...overlay, name: "app_db" }] },
      "2 networks come into question (app_web, app_db): set rollcall.network",
    ],
    [
      "a network that has such a name, of an engine whose ids are names",
      { networks: [{ ...front, name: overlay.id, id: overlay.id }] },
      "^port 80 is not published",
    ],
    [
      "a network by label",
      labels({ "rollcall.network": "front" }),
      "172.18.0.5:80; its own on network front, which its label names",
    ],
    [
      "not on that network",
      labels({ "rollcall.network": "back" }),
      "it is not on network back, but on front",
    ],
    [
      "an address by label",
      { ...open, ...labels({ "rollcall.address": "10.9.9.9" }) },
      "10.9.9.9:80; its label says so",
    ],
    [
      "host by label",
      { networks: [overlay], ...open, ...labels({ "rollcall.address": "host" }) },
      "10.0.0.8:32768; the host's, since port 80 is published",
    ],
    [
      "host by label, not published",
      labels({ "rollcall.address": "host" }),
      "port 80 is not published: publish it",
    ],
    [
      "no network",
      { networkMode: "none", networks: [network("none", null)] },
      "its network mode is none, so it has no address",
    ],
    ["disconnected", { networks: [] }, "waiting: it is on no network"],
    ["not connected yet", { networks: [network("front", null)] }, "waiting: it is on no network"],
    [
      "an overlay, not connected yet",
      { networks: [{ ...overlay, address: null }] },
      "waiting: it has no address on network app_web",
    ],
    [
      "another's network that does not run",
      { networkMode: "container:gone" },
      "waiting: the container whose network it shares does not run",
    ],
    [
      "a task on another node of the swarm",
      { ...open, hostAddress: "10.0.0.77" },
      "10.0.0.77:32768; its node's, since port 80 is published",
    ],
  ])("%s", (_, one, expected) => {
    const found = outcome(container(one), { publishing: auto });
    if (expected.startsWith("^")) expect(found).toMatch(new RegExp(expected));
    else expect(found).toBe(expected);
  });

  test("a network by option", () => {
    const settings = { publishing: auto, network: "front" };
    expect(outcome(container(open), settings)).toBe(
      "172.18.0.5:80; its own on network front, which the option names",
    );
  });
});

describe("published ports", () => {
  test.each<readonly [string, Given, Publishing, string]>([
    [
      "other numbers for IPv6",
      { published: [publish("::", 2), publish("0.0.0.0", 1)] },
      auto,
      "10.0.0.8:1; ",
    ],
    [
      "other numbers for IPv4",
      { published: [publish("0.0.0.0", 1), publish("::", 2)] },
      given("fd00::8"),
      "[fd00::8]:2; ",
    ],
    [
      "no host address in the list",
      { published: [publish("", 3)] },
      given("lb.example.org"),
      "lb.example.org:3; ",
    ],
    [
      "one address of the host",
      { published: [publish("10.0.0.9")] },
      auto,
      "10.0.0.9:32768; one of the host's, since port 80 is published on it",
    ],
    [
      "loopback",
      { published: [publish("127.0.0.1")] },
      auto,
      'port 80 is published for this host only ("127.0.0.1")',
    ],
    [
      "the bridge's own address",
      { published: [publish("172.18.0.1")] },
      auto,
      'port 80 is published for this host only ("172.18.0.1")',
    ],
    [
      "loopback and all",
      { published: [publish("127.0.0.1", 1), publish("0.0.0.0", 2)] },
      auto,
      "10.0.0.8:2; ",
    ],
  ])("%s", (_, one, publishing, expected) => {
    expect(outcome(container(one), { publishing })).toContain(expected);
  });
});

describe("by option", () => {
  test.each<readonly [string, Given, Publishing, string]>([
    ["container", open, own, "172.18.0.5:80; its own on network front, which is its only one"],
    [
      "container: several",
      { networks: [front, network("back", "172.19.0.5")] },
      own,
      "2 networks come into question (front, back): set rollcall.network",
    ],
    [
      "container: an overlay among them",
      { networks: [front, overlay] },
      own,
      "10.0.1.8:80; its own on network app_web, which Swarm spans over its nodes",
    ],
    [
      "container: the mesh alone",
      { networks: [mesh] },
      own,
      "it is on no network but Swarm's routing mesh, which has many addresses for it",
    ],
    [
      "container: on the host's network",
      { networkMode: "host", networks: [] },
      own,
      "10.0.0.8:80; the host's, since it is on the host's network",
    ],
    [
      "host",
      { networks: [overlay], ...open },
      host,
      "10.0.0.8:32768; the host's, since port 80 is published",
    ],
    ["host: not published", {}, host, "port 80 is not published: publish it, or set rollcall.network"],
    [
      "host: a network by label",
      { ...open, ...labels({ "rollcall.network": "front" }) },
      host,
      "172.18.0.5:80; its own on network front, which its label names",
    ],
    ["an address", open, given("192.0.2.7"), "192.0.2.7:32768; the host's, since port 80 is published"],
  ])("%s", (_, one, publishing, expected) => {
    expect(outcome(container(one), { publishing })).toBe(expected);
  });
});

describe("this host's address", () => {
  const find = (publishing: Publishing, self: SelfPlace, containers: readonly Container[] = []) => {
    const found = hostView({ publishing, self }, containers)?.address;
    return found?.ok === true ? `${found.value.address}, ${found.value.why}` : found?.reason;
  };

  test.each<readonly [string, Publishing, SelfPlace, string]>([
    ["on the host", auto, { kind: "host" }, "10.0.0.8, from which etcd at 10.0.0.1 is reached"],
    [
      "in a container on its network",
      auto,
      inHostNetwork,
      "10.0.0.8, from which etcd at 10.0.0.1 is reached",
    ],
    [
      "in a container of its own",
      auto,
      inBridge,
      `the agent is in a container that is not on the host's network, and cannot see its host's address: ${MEND}`,
    ],
    ["given", given("10.0.0.9"), inBridge, "10.0.0.9, as the option address says"],
    [
      "no route",
      { ...auto, route: { ok: false, reason: "no route" } },
      { kind: "host" },
      `no route: ${MEND}`,
    ],
    [
      "engine elsewhere",
      auto,
      { kind: "elsewhere", engineHost: "10.0.0.7" },
      "10.0.0.7, where the engine is",
    ],
    [
      "engine elsewhere, by name",
      auto,
      { kind: "elsewhere", engineHost: "d7.example.org" },
      "d7.example.org, where the engine is",
    ],
    [
      "behind a proxy",
      auto,
      { kind: "elsewhere", engineHost: "docker-proxy" },
      `the agent is not on the engine's host, whose address is not known: ${MEND}`,
    ],
    [
      "engine nowhere",
      auto,
      { kind: "elsewhere", engineHost: null },
      `the agent is not on the engine's host, whose address is not known: ${MEND}`,
    ],
  ])("%s", (_, publishing, self, expected) => {
    expect(find(publishing, self)).toBe(expected);
  });

  test("etcd in a container of this host", () => {
    const etcd = container({ networks: [{ ...front, gateway: "10.0.0.8" }] });
    expect(find(auto, { kind: "host" }, [etcd])).toBe(
      `etcd at 10.0.0.1 is reached from 10.0.0.8, which is this host's address on a container network: ${MEND}`,
    );
  });

  test("is missed only by containers that need it", () => {
    const settings = { publishing: auto, self: inBridge };
    expect(outcome(container({ networks: [overlay] }), settings)).toMatch(/^10\.0\.1\.8:80/);
    expect(outcome(container({ published: [publish("10.0.0.9")] }), settings)).toMatch(/^10\.0\.0\.9:32768/);
    expect(outcome(container(open), settings)).toBe(
      `port 80 is published, but the agent is in a container that is not on the host's network, and cannot see its host's address: ${MEND}, or set rollcall.address`,
    );
  });
});

test("without publishing nothing is noted, and addresses are for HAProxy beside Rollcall", () => {
  expect(outcome(container(open), {})).toBe("172.18.0.5:80");
});

test("the reference tells the reasons as they are", () => {
  const page = readFileSync(new URL("../../docs/reference/addresses.md", import.meta.url), "utf8");
  const rows = [...page.slice(page.indexOf("## Refused")).matchAll(/^\| .* \| `(.*)` +\|$/gm)];
  const several = { networks: [overlay, { ...overlay, name: "back" }] };
  const reasons = [
    outcome(container(), { publishing: auto }),
    outcome(container(), { publishing: host }),
    outcome(container({ published: [publish("127.0.0.1")] }), { publishing: auto }),
    outcome(container(several), { publishing: own }).replace("app_web", "front"),
    outcome(container(open), { publishing: auto, self: inBridge }),
  ];
  expect(rows.map(([, reason]) => reason)).toEqual(reasons);
});

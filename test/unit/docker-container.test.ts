import { describe, expect, test } from "vitest";
import { parseContainer } from "../../src/discovery/docker-container.ts";

const ID = "8f2c".padEnd(64, "1");
const endpoint = (letter: string) => letter.repeat(64);

/** Recorded from Docker 20.10 (API 1.41), shortened: names, MAC addresses and what we do not read left out. */
const running = {
  Id: ID,
  Names: ["/shop-web-1"],
  Image: "local/app",
  Command: "/app",
  Created: 1795225925,
  Ports: [
    { IP: "0.0.0.0", PrivatePort: 8000, PublicPort: 32768, Type: "tcp" },
    { IP: "::", PrivatePort: 8000, PublicPort: 32768, Type: "tcp" },
    { PrivatePort: 443, Type: "tcp" },
    { PrivatePort: 53, Type: "udp" },
  ],
  Labels: { "rollcall.enable": "true" },
  State: "running",
  Status: "Up 34 seconds (healthy)",
  HostConfig: { NetworkMode: "shop_front" },
  NetworkSettings: {
    Networks: {
      shop_front: {
        NetworkID: "n1",
        EndpointID: endpoint("b"),
        Gateway: "172.18.0.1",
        IPAddress: "172.18.0.5",
        GlobalIPv6Address: "",
      },
      back: {
        NetworkID: "n2",
        EndpointID: endpoint("a"),
        Gateway: "",
        IPAddress: "172.19.0.5",
        GlobalIPv6Address: "fd00::5",
        IPv6Gateway: "fd00::1",
      },
    },
  },
};

test("a running container", () => {
  expect(parseContainer(running)).toEqual({
    id: ID,
    names: ["shop-web-1"],
    createdAtMs: 1795225925000,
    startMark: "aaaaaaaaaaaa bbbbbbbbbbbb",
    labels: new Map([["rollcall.enable", "true"]]),
    state: "running",
    health: "healthy",
    networkMode: "shop_front",
    networks: [
      { name: "back", id: "n2", address: "172.19.0.5", address6: "fd00::5", gateway: "fd00::1" },
      { name: "shop_front", id: "n1", address: "172.18.0.5", address6: null, gateway: "172.18.0.1" },
    ],
    tcpPorts: [443, 8000],
    published: [
      { privatePort: 8000, publicPort: 32768, hostIp: "0.0.0.0" },
      { privatePort: 8000, publicPort: 32768, hostIp: "::" },
    ],
    stopping: null,
  });
});

describe("health", () => {
  const table = [
    ["Up 34 seconds", "none"],
    ["Up 2 hours (healthy)", "healthy"],
    ["Up 1 second (health: starting)", "starting"],
    ["Up 3 days (unhealthy)", "unhealthy"],
    ["Up 3 minutes (Paused)", "none"],
    ["Exited (0) 5 seconds ago", "none"],
  ] as const;
  test.each(table)("%s", (Status, health) => {
    expect(parseContainer({ ...running, Status }).health).toBe(health);
  });

  test("as a field of its own, since API 1.52", () => {
    const one = {
      ...running,
      Status: "Up 3 minutes (Paused)",
      Health: { Status: "unhealthy", FailingStreak: 3 },
    };
    expect(parseContainer(one).health).toBe("unhealthy");
    expect(parseContainer({ ...one, Health: { Status: "none" } }).health).toBe("none");
  });
});

test("on the host's network there is no address", () => {
  const Networks = { host: { NetworkID: "h", EndpointID: endpoint("c"), Gateway: "", IPAddress: "" } };
  const one = { ...running, HostConfig: { NetworkMode: "host" }, NetworkSettings: { Networks }, Ports: [] };
  expect(parseContainer(one)).toMatchObject({
    networkMode: "host",
    networks: [{ name: "host", address: null, address6: null, gateway: null }],
    tcpPorts: [],
    published: [],
  });
});

test("whatever is missing, null or of another type counts as empty", () => {
  const empty = { names: [], tcpPorts: [], published: [], networks: [], health: "none", networkMode: "" };
  expect(parseContainer({ Id: ID })).toMatchObject({ ...empty, state: "dead", createdAtMs: 0 });
  const odd = {
    Id: ID,
    Names: null,
    Ports: null,
    Labels: null,
    NetworkSettings: null,
    HostConfig: [],
    State: "Running",
  };
  expect(parseContainer(odd)).toMatchObject({ ...empty, state: "running", labels: new Map() });
  const ports = [{ PrivatePort: "80", Type: "tcp" }, null, { PrivatePort: 80, PublicPort: 0, Type: "tcp" }];
  expect(parseContainer({ Id: ID, Ports: ports })).toMatchObject({ tcpPorts: [80], published: [] });
});

test("an entry without an id is no entry", () => {
  for (const entry of [{}, null, "x", { Id: "../etc" }])
    expect(() => parseContainer(entry)).toThrow("without an id");
});

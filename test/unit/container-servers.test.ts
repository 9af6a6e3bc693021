import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import type { Container, ContainerSettings } from "../../src/core/container.ts";
import { hostPort, plainFields, type Server } from "../../src/core/server.ts";
import { container, containerSettings, network } from "../support/container.ts";

const NOW = 1_000_000;
const read = (containers: readonly Container[], settings: Partial<ContainerSettings> = {}) =>
  containerServers(containers, { ...containerSettings, ...settings }, NOW);
const withLabels = (labels: Record<string, string>) => read([container({ labels })]);

/** The only server of a container with these labels. */
function served(labels: Record<string, string>): Server {
  const result = withLabels(labels);
  expect(result).toMatchObject({ quarantined: [], waiting: [] });
  expect(result.servers).toHaveLength(1);
  return result.servers[0] as Server;
}

const reasonsOf = (entries: readonly { reason: string }[]) => entries.map(({ reason }) => reason);

describe("what labels say", () => {
  test("with nothing but enable", () => {
    expect(withLabels({})).toEqual({
      servers: [
        {
          ...plainFields("172.18.0.5", 80),
          backend: "webserver",
          name: "web",
          origin: { source: "docker", id: "3f2a00000000 web", revision: "1000 e1" },
          suffix: "3f2a00",
        },
      ],
      quarantined: [],
      waiting: [],
      warnings: [],
      notes: [],
      nextChangeMs: null,
    });
  });

  const check = { path: null, intervalMs: null, rise: null, fall: null };
  const fields: readonly (readonly [Record<string, string>, Partial<Server>])[] = [
    [{ backend: "api" }, { backend: "api" }],
    [{ name: "web9" }, { name: "web9" }],
    [{ port: "8080" }, { port: 8080 }],
    [{ address: "10.1.2.3" }, { address: "10.1.2.3" }],
    [{ address: "fd00:0::7" }, { address: "fd00::7" }],
    [
      { weight: "0", backup: "yes", maxconn: "100" },
      { weight: 0, backup: true, maxconn: 100 },
    ],
    [{ state: "maint" }, { state: "maint" }],
    [{ check: "false" }, { check: false }],
    [{ "check.path": "/healthz" }, { check: { ...check, path: "/healthz" } }],
    [
      { "check.interval": "2s", "check.rise": "2", "check.fall": "5" },
      { check: { ...check, intervalMs: 2000, rise: 2, fall: 5 } },
    ],
    [{ check: "off", "check.path": "/healthz" }, { check: false }],
    [{ host: "example.org", path: "/api" }, { routes: [{ host: "example.org", path: "/api" }] }],
    [
      { host: "a.org, *.b.org" },
      {
        routes: [
          { host: "a.org", path: null },
          { host: "*.b.org", path: null },
        ],
      },
    ],
    [{ path: "/api" }, { routes: [{ host: null, path: "/api" }] }],
    [{ tags: "blue,eu" }, { tags: ["blue", "eu"] }],
    [{ "meta.zone": "x", "meta.a.b": "y" }, { meta: { "a.b": "y", zone: "x" } }],
  ];
  test.each(fields)("%j", (labels, expected) => {
    const prefixed = Object.entries(labels).map(([name, value]) => [`rollcall.${name}`, value] as const);
    expect(served(Object.fromEntries(prefixed))).toMatchObject(expected);
  });

  test("under another prefix", () => {
    const one = container({
      labels: { "rollcall.enable": "x", "org.example.lb.enable": "1", "org.example.lb.name": "a" },
    });
    expect(read([one], { labelPrefix: "org.example.lb" }).servers).toMatchObject([{ name: "a" }]);
  });
});

describe("in or out", () => {
  const others = (labels: Record<string, string>) =>
    container({ labels: { "rollcall.enable": "false", ...labels } });

  test("only with the label, by default", () => {
    const nobody = { ...container(), labels: new Map([["rollcall.port", "80"]]) };
    expect(read([nobody])).toMatchObject({ servers: [], quarantined: [], waiting: [], warnings: [] });
    expect(read([nobody], { enableByDefault: true }).servers).toHaveLength(1);
    expect(read([others({})], { enableByDefault: true }).servers).toEqual([]);
  });

  test("a container that does not run is nobody's business", () => {
    for (const state of ["exited", "created", "dead", "removing"] as const) {
      expect(read([container({ state })])).toMatchObject({ servers: [], quarantined: [], waiting: [] });
    }
  });
});

describe("refused, with label, value and reason", () => {
  const table: readonly (readonly [Record<string, string>, string])[] = [
    [{ enable: "maybe" }, 'rollcall.enable: "maybe" is neither true nor false'],
    [{ backend: "a b" }, 'rollcall.backend: backend "a b" is not allowed'],
    [{ name: "a\nb" }, 'rollcall.name: server name "a\\nb" is not allowed'],
    [{ port: "80,90" }, 'rollcall.port: port "80,90" is not a number from 1 to 65535'],
    [{ network: "a b" }, 'rollcall.network: "a b" is no name of a Docker network'],
    [{ address: "unix@/x" }, 'rollcall.address: "unix@/x" is neither an IP address nor a host name'],
    [{ weight: "257" }, 'rollcall.weight: "257" is not a whole number from 0 to 256'],
    [{ backup: "" }, 'rollcall.backup: "" is neither true nor false'],
    [{ maxconn: "many" }, 'rollcall.maxconn: "many" is not a whole number'],
    [{ state: "up" }, 'rollcall.state: "up" is none of ready, drain, maint'],
    [{ check: "tcp" }, 'rollcall.check: "tcp" is neither true nor false'],
    [{ "check.path": "healthz" }, 'rollcall.check.path: "healthz" is not allowed'],
    [{ "check.interval": "2" }, 'rollcall.check.interval: "2" is no duration'],
    [{ "check.rise": "0" }, 'rollcall.check.rise: "0" is not a whole number from 1 to 100'],
    [{ health: "always" }, 'rollcall.health: "always" is neither wait nor ignore'],
    [{ drain: "-1s" }, 'rollcall.drain: "-1s" is no duration'],
    [{ host: "10.0.0.1" }, 'rollcall.host: "10.0.0.1" is not a host name'],
    [{ path: "api" }, 'rollcall.path: "api" is not allowed'],
    [{ tags: "a b" }, 'rollcall.tags: tag "a b" is not allowed'],
    [{ "meta.x": "a'b" }, 'rollcall.meta: meta x: "a\'b" is not allowed'],
    [{ "8080.weight": "x" }, 'rollcall.8080.weight: "x" is not a whole number'],
    [{ tags: "a".repeat(5000) }, '"rollcall.tags" is longer than 4096 characters'],
  ];
  test.each(table)("%j", (labels, reason) => {
    const prefixed = Object.entries(labels).map(([name, value]) => [`rollcall.${name}`, value] as const);
    const good = container({ id: "bb".padEnd(64, "0"), names: ["good"] });
    const bad = container({ labels: Object.fromEntries(prefixed) });
    const result = read([bad, good]);
    expect(result.servers).toMatchObject([{ name: "good" }]);
    expect(result.quarantined).toEqual([
      {
        origin: expect.objectContaining({ id: "3f2a00000000 web" }) as object,
        reason: expect.stringContaining(reason) as string,
      },
    ]);
  });
});

describe("unknown labels", () => {
  test("are warned about with what was probably meant", () => {
    const result = withLabels({
      "rollcall.wieght": "5",
      "rollcall.Port": "80",
      "rollcall.check.pth": "/",
      "rollcall.80.nmae": "x",
      "rollcall.80.port": "81",
      "rollcall.nonsense-\u001b": "x",
      "rollcall.0.name": "x",
      "rollcallx.name": "somebody else's",
    });
    expect(result.servers).toHaveLength(1);
    expect(reasonsOf(result.warnings)).toEqual([
      'unknown label "rollcall.wieght": did you mean rollcall.weight?',
      'unknown label "rollcall.Port": did you mean rollcall.port?',
      'unknown label "rollcall.check.pth": did you mean rollcall.check.path?',
      'unknown label "rollcall.80.nmae": did you mean rollcall.80.name?',
      'unknown label "rollcall.80.port": the port stands in it already',
      'unknown label "rollcall.nonsense-\\u001b"',
      'unknown label "rollcall.0.name": port "0" is not a number from 1 to 65535',
    ]);
  });

  test("also without enable, which may be the one that is misspelt", () => {
    const result = read([{ ...container(), labels: new Map([["rollcall.enabel", "true"]]) }]);
    expect(result.servers).toEqual([]);
    expect(reasonsOf(result.warnings)).toEqual([
      'unknown label "rollcall.enabel": did you mean rollcall.enable?',
    ]);
  });

  test("thousands of them are counted, not listed", () => {
    const many = Array.from({ length: 5000 }, (_, index) => [`rollcall.x${index}`, ""] as const);
    const { servers, warnings } = withLabels(Object.fromEntries(many));
    expect(servers).toHaveLength(1);
    expect(warnings).toHaveLength(9);
    expect(reasonsOf(warnings).at(-1)).toBe("4992 more unknown labels");
  });

  test("labels for thousands of ports are refused in one line, and not at all when the container is out", () => {
    const many = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`rollcall.${index + 1}.name`, `n${index}`]),
    );
    expect(reasonsOf(withLabels(many).quarantined)).toEqual(["there are labels for more than 32 ports"]);
    expect(withLabels({ ...many, "rollcall.enable": "false" })).toMatchObject({
      quarantined: [],
      servers: [],
    });
  });
});

describe("port", () => {
  const ports = (tcpPorts: readonly number[], labels = {}) => read([container({ tcpPorts, labels })]);
  test("none or several are not guessed", () => {
    expect(reasonsOf(ports([]).quarantined)).toEqual([
      "no port label and no exposed port: set rollcall.port",
    ]);
    expect(reasonsOf(ports([80, 443, 8080]).quarantined)).toEqual([
      "no port label and 3 exposed ports (80, 443, 8080): set rollcall.port",
    ]);
    expect(ports([80, 443], { "rollcall.port": "443" }).servers).toMatchObject([{ port: 443 }]);
  });

  test("labels with a port make one server for each", () => {
    const result = withLabels({
      "rollcall.weight": "7",
      "rollcall.8080.backend": "api",
      "rollcall.9090.backend": "metrics",
      "rollcall.9090.weight": "1",
      "rollcall.9091.name": "extra",
      "rollcall.meta.a": "1",
      "rollcall.9091.meta.a": "2",
    });
    expect(result.quarantined).toEqual([]);
    expect(result.servers).toMatchObject([
      { backend: "api", name: "web-8080", port: 8080, weight: 7, meta: { a: "1" } },
      { backend: "metrics", name: "web-9090", port: 9090, weight: 1 },
      { backend: "webserver", name: "extra", port: 9091, weight: 7, meta: { a: "2" } },
    ]);
  });

  test("a single port in a label needs no port in the name", () => {
    expect(withLabels({ "rollcall.8080.backend": "api" }).servers).toMatchObject([
      { backend: "api", name: "web", port: 8080 },
    ]);
  });

  test("rollcall.port is one more of them", () => {
    const labels = { "rollcall.port": "80", "rollcall.9000.backend": "admin", "rollcall.name": "n" };
    expect(withLabels(labels).servers).toMatchObject([
      { backend: "webserver", name: "n-80", port: 80 },
      { backend: "admin", name: "n-9000", port: 9000 },
    ]);
    const same = { "rollcall.port": "9000", "rollcall.9000.backend": "admin" };
    expect(withLabels(same).servers).toMatchObject([{ backend: "admin", name: "web", port: 9000 }]);
  });

  test("one bad port leaves the others alone", () => {
    const result = withLabels({ "rollcall.80.weight": "1", "rollcall.81.weight": "x" });
    expect(result.servers).toMatchObject([{ port: 80 }]);
    expect(reasonsOf(result.quarantined)).toEqual([expect.stringContaining("port 81: rollcall.81.weight")]);
  });

  test("enable with a port switches that port", () => {
    const labels = { "rollcall.80.name": "a", "rollcall.81.name": "b", "rollcall.81.enable": "no" };
    expect(withLabels(labels).servers).toMatchObject([{ name: "a", port: 80 }]);
  });
});

describe("name", () => {
  const compose = { "com.docker.compose.service": "ping-app", "com.docker.compose.container-number": "3" };
  const swarm = { "com.docker.swarm.task.name": "shop_web.2.abc123", "com.docker.swarm.task.id": "abc123" };
  const table: readonly (readonly [Record<string, string>, readonly string[], string])[] = [
    [compose, ["demo-ping-app-3"], "ping-app-3"],
    [{ ...compose, "com.docker.compose.oneoff": "True" }, ["demo-run-1"], "demo-run-1"],
    [swarm, ["x"], "shop_web.2"],
    [{ ...swarm, "rollcall.name": "mine" }, ["x"], "mine"],
    [{}, ["other/alias", "own"], "own"],
    [{}, [], "3f2a00000000"],
    [{}, ["_odd name"], "odd-name"],
    [{}, ["n".repeat(100)], "n".repeat(63)],
  ];
  test.each(table)("%j %j", (labels, names, expected) => {
    expect(read([container({ labels, names })]).servers).toMatchObject([{ name: expected }]);
  });

  const younger = container({ id: "aa11".padEnd(64, "0"), createdAtMs: 2000 });

  test("two of one name: the older keeps it, whoever is listed first", () => {
    for (const both of [
      [container(), younger],
      [younger, container()],
    ]) {
      const result = read(both);
      expect(result.servers.map(({ name, suffix }) => [name, suffix])).toEqual([
        ["web", "3f2a00"],
        ["web-aa1100", "aa1100"],
      ]);
      expect(reasonsOf(result.warnings)).toEqual([
        "name web is held by 3f2a00000000 web; known as web-aa1100",
      ]);
    }
  });

  test("of the same age: the smaller id", () => {
    const twin = { ...younger, createdAtMs: 1000 };
    expect(read([twin, container()]).servers.map(({ name }) => name)).toEqual(["web", "web-aa1100"]);
  });

  test("the older keeps it while it waits", () => {
    const result = read([container({ health: "unhealthy" }), younger]);
    expect(result.servers).toMatchObject([{ name: "web-aa1100" }]);
    expect(result.waiting).toMatchObject([{ name: "web" }]);
  });

  test("in another backend it is no clash", () => {
    const api = container({ id: "aa11".padEnd(64, "0"), labels: { "rollcall.backend": "api" } });
    expect(read([container(), api]).servers.map(({ name }) => name)).toEqual(["web", "web"]);
  });

  test("a made-up name never takes one that another asked for", () => {
    const third = container({ id: "cc".padEnd(64, "0"), createdAtMs: 3000, names: ["web-aa1100"] });
    const result = read([container(), younger, third]);
    expect(result.servers.map(({ name }) => name)).toEqual(["web", "web-aa1100"]);
    expect(reasonsOf(result.quarantined)).toEqual([
      "names web and web-aa1100 in backend webserver are taken",
    ]);
  });

  test("three ports of one container with one name: two can be told apart", () => {
    const labels = { "rollcall.80.name": "n", "rollcall.81.name": "n", "rollcall.82.name": "n" };
    const result = withLabels(labels);
    expect(result.servers.map(({ name }) => name)).toEqual(["n", "n-3f2a00"]);
    expect(result.quarantined).toHaveLength(1);
  });
});

describe("when", () => {
  const one = (given: Parameters<typeof container>[0]) => read([container(given)]);
  const waits = (given: Parameters<typeof container>[0]) => {
    const { servers, waiting } = one({ ...given, labels: { "rollcall.path": "/a", ...given?.labels } });
    expect(servers).toEqual([]);
    expect(waiting).toMatchObject([
      { backend: "webserver", name: "web", routes: [{ host: null, path: "/a" }] },
    ]);
    return waiting[0]?.reason;
  };

  test("not yet", () => {
    expect(waits({ health: "starting" })).toBe("waiting for healthy: starting");
    expect(waits({ health: "unhealthy" })).toBe("waiting for healthy: Docker says unhealthy");
    expect(waits({ state: "paused" })).toBe("paused");
    expect(waits({ state: "restarting" })).toBe("restarting");
    expect(waits({ state: "restarting", tcpPorts: [], networks: [network("bridge", null)] })).toBe(
      "restarting",
    );
    expect(waits({ networks: [network("front", null)] })).toBe("it has no address on network front");
    expect(waits({ networks: [] })).toBe("it is on no network");
    expect(waits({ networks: [], tcpPorts: [] })).toBe("it is on no network");
  });

  test("HEALTHCHECK can be ignored", () => {
    const labels = { "rollcall.health": "ignore" };
    expect(one({ health: "unhealthy", labels }).servers).toHaveLength(1);
    expect(one({ health: "healthy" }).servers).toHaveLength(1);
  });

  test("a stop signal drains, and takes out when the drain is over", () => {
    const stopping = (ago: number, labels = {}) =>
      one({ stopping: { signal: 15, sinceMs: NOW - ago }, labels });
    expect(stopping(0)).toMatchObject({ servers: [{ state: "drain" }], nextChangeMs: NOW + 10_000 });
    expect(stopping(9_999)).toMatchObject({ servers: [{ state: "drain" }], nextChangeMs: NOW + 1 });
    expect(stopping(12_000)).toMatchObject({
      servers: [],
      waiting: [{ reason: "stop signal 15 received 12 s ago, still running" }],
      nextChangeMs: null,
    });
    expect(stopping(12_000, { "rollcall.drain": "1m" }).servers).toMatchObject([{ state: "drain" }]);
    expect(stopping(0, { "rollcall.drain": "0s" }).servers).toEqual([]);
    expect(stopping(0, { "rollcall.state": "maint" }).servers).toMatchObject([{ state: "maint" }]);
  });

  test("the nearest end of a drain comes first", () => {
    const leaving = (id: string, sinceMs: number) =>
      container({ id: id.padEnd(64, "0"), names: [id], stopping: { signal: 15, sinceMs } });
    expect(read([leaving("a1", NOW - 1), leaving("b1", NOW - 5), leaving("c1", NOW)]).nextChangeMs).toBe(
      NOW + 9995,
    );
  });
});

test("servers read well", () => {
  const six = { ...network("front", null), address6: "FD00::5" };
  expect(read([container({ networks: [six] })]).servers.map(hostPort)).toEqual(["[fd00::5]:80"]);
});

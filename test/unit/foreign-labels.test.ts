import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import type { Container, ContainerSettings } from "../../src/core/container.ts";
import type { Server } from "../../src/core/server.ts";
import { container, containerSettings } from "../support/container.ts";

const both = { registrator: true, nginxProxy: true };

/** A container without any label of ours; `words` are its variables. */
function bare(words: Record<string, string>, given: Partial<Container> = {}): Container {
  return { ...container(), labels: new Map(), variables: new Map(Object.entries(words)), ...given };
}
const read = (one: Container, settings: Partial<ContainerSettings> = {}) =>
  containerServers([one], { ...containerSettings, foreign: both, ...settings }, 0);
const reasonsOf = (entries: readonly { reason: string }[]) => entries.map(({ reason }) => reason);

/** `BACKEND/NAME ADDRESS:PORT ROUTES` of all that is served, nothing else being amiss. */
function places(one: Container, settings: Partial<ContainerSettings> = {}): readonly string[] {
  const result = read(one, settings);
  expect(result).toMatchObject({ quarantined: [], waiting: [], warnings: [] });
  return result.servers.map(shown);
}
const shown = ({ backend, name, port, routes }: Server): string =>
  [`${backend}/${name}:${port}`, ...routes.map(({ host, path }) => `${host}${path ?? ""}`)].join(" ");

const ports = (...tcpPorts: number[]) => ({ tcpPorts });

describe("Registrator's words", () => {
  const cases: readonly (readonly [what: string, Container, readonly string[]])[] = [
    ["the name is the backend's", bare({ SERVICE_NAME: "api" }), ["api/web:80"]],
    [
      "several ports",
      bare({ SERVICE_NAME: "api" }, ports(80, 443)),
      ["api-80/web-80:80", "api-443/web-443:443"],
    ],
    [
      "a port's own name",
      bare({ SERVICE_80_NAME: "http", SERVICE_NAME: "api" }, ports(80, 443)),
      ["http/web-80:80", "api-443/web-443:443"],
    ],
    ["only ports with a name", bare({ SERVICE_443_NAME: "tls" }, ports(80, 443)), ["tls/web:443"]],
    ["a port that is not exposed", bare({ SERVICE_9000_NAME: "x" }, ports()), ["x/web:9000"]],
    ["a word for another port", bare({ SERVICE_NAME: "api", SERVICE_9000_TAGS: "x" }), ["api/web:80"]],
    ["ignored, whatever the value", bare({ SERVICE_NAME: "api", SERVICE_IGNORE: "false" }), []],
    ["an empty text says nothing", bare({ SERVICE_NAME: "api", SERVICE_IGNORE: "" }), ["api/web:80"]],
    [
      "an ignored port",
      bare({ SERVICE_NAME: "api", SERVICE_443_IGNORE: "1" }, ports(80, 443)),
      ["api-80/web:80"],
    ],
    ["its id is the name", bare({ SERVICE_NAME: "api", SERVICE_ID: "one" }), ["api/one:80"]],
    ["in small letters", bare({ SERVICE_name: "api" }), ["api/web:80"]],
    ["no name, no server", bare({ SERVICE_TAGS: "a", SERVICE_80_ID: "x", SERVICE_URL: "$$" }), []],
  ];
  test.each(cases)("%s", (_, one, expected) => {
    expect(places(one)).toEqual(expected);
  });

  test("tags, checks and free data", () => {
    const words = {
      SERVICE_NAME: "api",
      SERVICE_TAGS: ",blue,,canary,",
      SERVICE_80_CHECK_HTTP: "/healthz",
      SERVICE_CHECK_HTTP: "/other",
      SERVICE_CHECK_INTERVAL: "15s",
      SERVICE_CHECK_TIMEOUT: "1s",
      SERVICE_REGION: "us-east",
    };
    const [server] = read(bare(words)).servers;
    expect(server).toMatchObject({
      tags: ["blue", "canary"],
      check: { path: "/healthz", intervalMs: 15_000 },
      meta: { region: "us-east" },
    });
  });

  test("what does not fit is left out and said, without the value of what may be a secret", () => {
    const words = {
      SERVICE_NAME: "api",
      SERVICE_ID: "host:web:80",
      SERVICE_TAGS: "blue,a b,c\\,d",
      SERVICE_CHECK_INTERVAL: "1m30s",
      SERVICE_CHECK_TTL: "30s",
      SERVICE_DSN: "postgres://u:$ecret@db",
    };
    const { servers, warnings } = read(bare(words));
    expect(servers[0]).toMatchObject({ name: "web", tags: ["blue"], meta: {} });
    const reasons = reasonsOf(warnings);
    expect(reasons).toEqual([
      expect.stringMatching(/^SERVICE_80_ID is left out: server name "host:web:80" is not allowed/),
      expect.stringMatching(/^SERVICE_80_CHECK_INTERVAL is left out: "1m30s" is no duration/),
      'SERVICE_80_TAGS: tag "a b" is left out',
      'SERVICE_80_TAGS: tag "c\\\\,d" is left out',
      "SERVICE_80_CHECK_TTL is left out: HAProxy checks by TCP, or as CHECK_HTTP says",
      '"SERVICE_DSN" is left out: it does not fit into meta',
    ]);
    expect(reasons.join()).not.toContain("ecret");
  });

  test("a name that is none is refused", () => {
    expect(reasonsOf(read(bare({ SERVICE_NAME: "My Shop" })).quarantined)).toEqual([
      expect.stringMatching(/^SERVICE_80_NAME: backend "My Shop" is not allowed/),
    ]);
  });
});

describe("nginx-proxy's words", () => {
  const host = (VIRTUAL_HOST: string, more: Record<string, string> = {}) => ({ VIRTUAL_HOST, ...more });
  const cases: readonly (readonly [what: string, Container, readonly string[]])[] = [
    [
      "a backend for each host",
      bare(host("a.org, B.org,,a.org")),
      ["a.org/web:80 a.org", "b.org/web:80 b.org"],
    ],
    ["all below a domain", bare(host("*.a.org")), ["any-.a.org/web:80 *.a.org"]],
    ["a path", bare(host("a.org", { VIRTUAL_PATH: "/api/v2/" })), ["a.org..api.v2/web:80 a.org/api/v2"]],
    ["the path of all", bare(host("a.org", { VIRTUAL_PATH: "/" })), ["a.org/web:80 a.org"]],
    ["its port", bare(host("a.org", { VIRTUAL_PORT: "8080" }), ports(1, 2)), ["a.org/web:8080 a.org"]],
    ["the one exposed port", bare(host("a.org"), ports(3000)), ["a.org/web:3000 a.org"]],
    ["80 of several", bare(host("a.org"), ports(80, 443)), ["a.org/web:80 a.org"]],
    ["80 of several, be it not among them", bare(host("a.org"), ports(81, 443)), ["a.org/web:80 a.org"]],
    ["80 of none", bare(host("a.org"), ports()), ["a.org/web:80 a.org"]],
    ["nothing in it", bare(host("")), []],
    ["no host, no server", bare({ VIRTUAL_PORT: "80", NETWORK_ACCESS: "internal" }), []],
  ];
  test.each(cases)("%s", (_, one, expected) => {
    expect(places(one)).toEqual(expected);
  });

  test.each([
    [host("~^a\\.(org|com)$"), /^VIRTUAL_HOST: "~\^a.*is a regular expression: write the host names/],
    [host("a.*"), /^VIRTUAL_HOST: "a\.\*" is not a host name/],
    [host(" , "), /^VIRTUAL_HOST: there is no host name in it/],
    [
      host(Array.from({ length: 17 }, (_, n) => `a${n}.org`).join()),
      /^VIRTUAL_HOST: more than 16 host names/,
    ],
    [host("a.org", { VIRTUAL_PORT: "0" }), /^VIRTUAL_PORT: port "0"/],
    [host("a.org", { VIRTUAL_PATH: "~^/x" }), /^VIRTUAL_PATH: "~\^\/x" is not allowed/],
    [host("a.org", { VIRTUAL_PROTO: "https" }), /^VIRTUAL_PROTO: "https" is not supported/],
    [host("a.org", { VIRTUAL_PATH: "/x", VIRTUAL_DEST: "/" }), /^VIRTUAL_DEST: paths are not rewritten/],
    [host("a.org", { NETWORK_ACCESS: "internal" }), /^NETWORK_ACCESS="internal" is not read, and without it/],
    [{ VIRTUAL_HOST_MULTIPORTS: "a.org: {}" }, /^VIRTUAL_HOST_MULTIPORTS is not read/],
  ])("refused: %j", (words, reason) => {
    const result = read(bare(words));
    expect(result.servers).toEqual([]);
    expect(reasonsOf([...result.quarantined])).toEqual([expect.stringMatching(reason)]);
  });

  test("of several hosts a bad one is left out and said", () => {
    const { servers, warnings } = read(bare(host("~x,a.org")));
    expect(servers.map(shown)).toEqual(["a.org/web:80 a.org"]);
    expect(reasonsOf(warnings)).toEqual([expect.stringMatching(/^VIRTUAL_HOST: "~x" is a regular/)]);
  });

  test("one that is too long is not read", () => {
    const result = read(bare(host("x".repeat(3000))));
    expect(result).toMatchObject({ servers: [], quarantined: [] });
    expect(reasonsOf(result.warnings)).toEqual(['"VIRTUAL_HOST" is longer than 2048 characters']);
  });

  test("different places never share a backend, however long or odd", () => {
    const long = "x".repeat(60);
    const hosts = [`${long}.a.org`, `${long}.b.org`, "_a.org", "x_a.org", "*.a.org", "any.a.org", "a.org"];
    const paths = ["/", "/b", "/b/c", "/b.c", "/b-c", "/b?c", `/${long}`, `/${long}y`];
    const all = hosts.flatMap((one) => paths.map((path) => bare(host(one, { VIRTUAL_PATH: path }))));
    const backends = all.map((one) => read(one).servers[0]?.backend ?? "");
    expect(new Set(backends).size).toBe(all.length);
    for (const backend of backends) expect(backend).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
  });

  test("what is amiss with each of the backends is said once", () => {
    const one = bare(host("a.org,b.org"), { networks: [], networkMode: "none" });
    expect(reasonsOf(read(one).quarantined)).toEqual(["its network mode is none, so it has no address"]);
  });
});

describe("whose word counts", () => {
  const words = { SERVICE_NAME: "api", VIRTUAL_HOST: "a.org", VIRTUAL_PORT: "81", SERVICE_TAGS: "t" };

  test("nobody's, unless the option is on", () => {
    for (const foreign of [undefined, { registrator: false, nginxProxy: false }]) {
      const { servers } = read(bare(words), foreign === undefined ? { foreign: both } : { foreign });
      expect(servers).toHaveLength(foreign === undefined ? 1 : 0);
    }
    const registrator = { foreign: { registrator: true, nginxProxy: false } };
    expect(places(bare(words), registrator)).toEqual(["api/web:80"]);
    const nginxProxy = { foreign: { registrator: false, nginxProxy: true } };
    expect(places(bare(words), nginxProxy)).toEqual(["a.org/web:81 a.org"]);
  });

  test("with both, nginx-proxy's backend and port, and the rest of Registrator's", () => {
    const result = read(bare(words));
    expect(result.servers.map(shown)).toEqual(["a.org/web:81 a.org"]);
    expect(result.servers[0]?.tags).toEqual(["t"]);
  });

  test("a label goes before the variable", () => {
    const labels = new Map([["SERVICE_NAME", "labelled"]]);
    expect(places(bare({ SERVICE_NAME: "api" }, { labels }))).toEqual(["labelled/web:80"]);
  });

  const own: readonly (readonly [Record<string, string>, readonly string[]])[] = [
    [{ enable: "false" }, []],
    [{ enable: "true", backend: "mine" }, ["mine/web:81 a.org"]],
    [{ host: "mine.org" }, ["api-81/web:81 mine.org"]],
    [{ port: "82" }, ["a.org/web:82 a.org"]],
    [{ "82.name": "x" }, ["a.org/x:82 a.org"]],
  ];
  test.each(own)("our own labels %j go before all", (given, expected) => {
    const labels = new Map(Object.entries(given).map(([name, value]) => [`rollcall.${name}`, value]));
    expect(places(bare(words, { labels }))).toEqual(expected.map((one) => one.replace("api-81", "api")));
  });

  test("a number in our labels names the port for Registrator's words, too", () => {
    const labels = new Map([["rollcall.port", "443"]]);
    const one = bare({ SERVICE_NAME: "api", SERVICE_443_TAGS: "t" }, { labels, tcpPorts: [80, 443] });
    expect(places(one)).toEqual(["api/web:443"]);
  });

  test("too much is left out and said", () => {
    const many = Array.from({ length: 80 }, (_, n) => [`SERVICE_X${n}`, "x"] as const);
    const one = bare({ SERVICE_NAME: "api", ...Object.fromEntries(many), SERVICE_TAGS: "x".repeat(3000) });
    const { servers, warnings } = read(one);
    expect(Object.keys(servers[0]?.meta ?? {})).toHaveLength(63);
    expect(reasonsOf(warnings).at(-1)).toBe("10 more words of other tools left out");
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LABELS } from "../../src/core/container-labels.ts";
import { containerServers, type ContainerServers } from "../../src/core/container-servers.ts";
import type { Container, Publishing, SelfPlace } from "../../src/core/container.ts";
import type { Server } from "../../src/core/server.ts";
import { container, containerSettings } from "../support/container.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  fc.constantFrom(
    "true",
    "host",
    "10.0.0.5",
    "80",
    "50",
    "drain",
    "2s",
    "/x",
    "front",
    "a,b",
    "wait",
    "\n",
    "'\"#\\$%",
  ),
  fc.constant("x".repeat(10_000)),
);
const label = fc.oneof(
  fc.constantFrom(...LABELS).map((name) => `rollcall.${name}`),
  fc.tuple(fc.nat(70_000), fc.constantFrom(...LABELS)).map(([port, name]) => `rollcall.${port}.${name}`),
  text.map((name) => `rollcall.meta.${name}`),
  text.map((name) => `rollcall.${name}`),
  fc.constantFrom(
    "com.docker.compose.service",
    "com.docker.compose.container-number",
    "com.docker.swarm.task.name",
  ),
  text,
);
/** Values that fit, so that more than the refusals is tried. */
const FITTING: Readonly<Record<string, readonly string[]>> = {
  backend: ["api", "web"],
  name: ["a", "b"],
  port: ["80", "81"],
  address: ["10.0.0.5", "fd00::1", "host"],
  weight: ["0", "256"],
  state: ["ready", "drain"],
  "check.path": ["/", "/x?y=1"],
  host: ["a.org,*.b.org"],
  path: ["/api"],
  tags: ["a,b"],
  "meta.k": ["v w"],
};
const fitting = fc.constantFrom(...Object.keys(FITTING)).chain((name) =>
  fc
    .tuple(fc.constantFrom("", "80.", "81."), fc.constantFrom(...(FITTING[name] ?? [])))
    .map(([port, value]) => {
      const isPort = name === "port";
      return [`rollcall.${isPort ? "" : port}${name}`, value] as const;
    }),
);
/** Words of other tools, as labels and as variables, with values that fit and with any. */
const word = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      "SERVICE_NAME",
      "SERVICE_80_NAME",
      "SERVICE_ID",
      "SERVICE_81_TAGS",
      "SERVICE_CHECK_HTTP",
      "SERVICE_81_IGNORE",
      "VIRTUAL_HOST",
      "VIRTUAL_PORT",
      "VIRTUAL_PATH",
    ),
    text.map((name) => `SERVICE_${name}`),
  ),
  fc.oneof(text, fc.constantFrom("api", "a.org,*.b.org", "~x", "81", "/a b", "/", "x,y\\,z")),
);
const labels = fc
  .tuple(
    fc.array(fitting, { maxLength: 6 }),
    fc.oneof(fc.constant([]), fc.array(fc.tuple(label, text), { maxLength: 30 })),
  )
  .map(([good, odd]) => new Map([...good, ...odd, ["rollcall.enable", "true"] as const]));
const networks = fc.array(
  fc.record({
    name: fc.oneof(text, fc.constantFrom("front", "back")),
    id: text,
    address: fc.option(fc.oneof(text, fc.ipV4())),
    address6: fc.option(fc.oneof(text, fc.ipV6())),
    gateway: fc.option(text),
  }),
  { maxLength: 3 },
);
const anyContainer: fc.Arbitrary<Container> = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{64}$/),
  names: fc.array(text, { maxLength: 2 }),
  createdAtMs: fc.nat(3),
  startMark: fc.constant("mark"),
  labels,
  state: fc.constantFrom("running", "running", "paused", "restarting"),
  health: fc.constantFrom("none", "starting", "healthy", "unhealthy"),
  networkMode: fc.oneof(text, fc.constantFrom("host", "none", "container:x", "front")),
  networks,
  tcpPorts: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
  published: fc.array(
    fc.record({
      privatePort: fc.constantFrom(80, 81),
      publicPort: fc.integer({ min: 1, max: 65_535 }),
      hostIp: text,
    }),
    { maxLength: 2 },
  ),
  stopping: fc.option(fc.record({ signal: fc.nat(64), sinceMs: fc.nat(20_000) })),
});
const places: fc.Arbitrary<SelfPlace> = fc.constantFrom<SelfPlace[]>(
  { kind: "host" },
  { kind: "container", networks: ["front"], hostNetwork: false, gateway: "172.18.0.1" },
  { kind: "elsewhere", engineHost: null },
);

const publishings: fc.Arbitrary<Publishing> = fc.record({
  mode: fc.constantFrom("auto", "container", "host"),
  given: fc.constantFrom(null, "10.0.0.9", "fd00::9"),
  route: fc.constantFrom<Publishing["route"][]>(
    { ok: true, value: { address: "10.0.0.8", to: "10.0.0.1" } },
    { ok: false, reason: "there is no route" },
  ),
});

/** What may be written into a configuration as it is; not one character that is syntax there. */
const SAFE = /^[A-Za-z0-9 !&()*+,\-./:<=>?@[\]^_{|}~]*$/;

function expectSafe(server: Server): void {
  const { meta, routes, tags } = server;
  const texts = [server.name, server.backend, server.address, server.suffix, ...tags, ...Object.keys(meta)];
  texts.push(...Object.values(meta), ...routes.flatMap(({ host, path }) => [host ?? "", path ?? ""]));
  if (server.check !== false) texts.push(server.check.path ?? "");
  for (const one of texts) expect(one).toMatch(SAFE);
  expect(server.name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
  expect(server.backend).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
  expect(server.port).toSatisfy((port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535);
}

function expectSound(result: ContainerServers): void {
  result.servers.forEach(expectSafe);
  const taken = [...result.servers, ...result.waiting].map(({ backend, name }) => `${backend}/${name}`);
  expect(new Set(taken).size).toBe(taken.length);
  for (const { reason, origin } of [
    ...result.quarantined,
    ...result.waiting,
    ...result.warnings,
    ...result.notes,
  ]) {
    expect(reason).not.toMatch(/\p{C}/u);
    expect(reason.length).toBeLessThan(1200);
    expect(origin.id).toMatch(/^[0-9a-f]{12} [A-Za-z0-9_.?-]{1,128}$/);
  }
}

test("whatever containers say: nothing throws, what is served is safe, what is shown is printable and short", () => {
  let served = 0;
  fc.assert(
    fc.property(
      fc.array(anyContainer, { maxLength: 4 }),
      places,
      fc.option(publishings),
      (containers, self, publishing) => {
        const more = publishing === null ? {} : { publishing };
        const result = containerServers(containers, { ...containerSettings, self, ...more }, 10_000);
        expect(result.notes.length).toBe(publishing === null ? 0 : result.servers.length);
        served += result.servers.length;
        expectSound(result);
      },
    ),
    { numRuns: 2000 },
  );
  expect(served).toBeGreaterThan(100);
});

test("the same for the words of other tools, beside our labels and without", () => {
  const foreign = { registrator: true, nginxProxy: true };
  const words = fc.array(word, { maxLength: 5 });
  const own = fc.oneof(fc.constant([]), fc.array(fitting, { maxLength: 3 }));
  const ports = fc.uniqueArray(fc.integer({ min: 79, max: 82 }), { maxLength: 3 });
  let served = 0;
  fc.assert(
    fc.property(own, words, words, ports, (ours, labelled, given, tcpPorts) => {
      const said = { labels: new Map([...ours, ...labelled]), variables: new Map(given) };
      const one = { ...container(), ...said, tcpPorts };
      const result = containerServers([one], { ...containerSettings, foreign }, 0);
      served += result.servers.length > 0 ? 1 : 0;
      expectSound(result);
    }),
    { numRuns: 2000 },
  );
  expect(served).toBeGreaterThan(200);
});

test("the order in which containers are listed makes no difference", () => {
  fc.assert(
    fc.property(fc.uniqueArray(container3, { maxLength: 6, selector: ({ id }) => id }), (containers) => {
      const forwards = containerServers(containers, containerSettings, 0);
      expect(containerServers(containers.toReversed(), containerSettings, 0)).toEqual(forwards);
    }),
  );
});

const container3 = fc
  .record({ id: fc.nat(0xffff), createdAtMs: fc.nat(2), name: fc.constantFrom("a", "b") })
  .map(({ id, createdAtMs, name }) =>
    container({ id: id.toString(16).padStart(64, "0"), createdAtMs, names: [name] }),
  );

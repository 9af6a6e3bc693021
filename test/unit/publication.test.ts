import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import { fitName, parseName } from "../../src/core/names.ts";
import { publications } from "../../src/core/publication.ts";
import { freeName, hostedName } from "../../src/core/published-name.ts";
import { parseServerValue } from "../../src/core/server-value.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { container, containerSettings } from "../support/container.ts";

const server = (given: Partial<Server> = {}): Server => ({
  ...plainFields("172.18.0.5", 80),
  backend: "webserver",
  name: "web-1",
  origin: { source: "docker", id: `${"3f2a".padEnd(12, "0")} web`, revision: "1" },
  suffix: "3f2a00",
  ...given,
});
const byService = { host: "a", serverNames: "service" } as const;
const byHost = { host: "a", serverNames: "host" } as const;

describe("what a host publishes", () => {
  test("of a container's labels", () => {
    const labels = { "rollcall.weight": "50", "rollcall.backend": "api" };
    const one = container({ labels, stopping: { signal: 15, sinceMs: 0 } });
    const picture = containerServers([one], containerSettings, 1);
    expect(publications(picture, byHost)).toEqual({
      publications: [
        {
          id: "3f2a00000000 api/web",
          container: "3f2a00000000",
          backend: "api",
          name: "a-web",
          value: "172.18.0.5:80 weight=50 state=drain",
          drained: true,
        },
      ],
      refusals: [],
    });
  });

  test("names as they are, or with the host's before", () => {
    const names = (options: Parameters<typeof publications>[1]) =>
      publications({ servers: [server()] }, options).publications.map(({ name }) => name);
    expect([names(byService), names(byHost)]).toEqual([["web-1"], ["a-web-1"]]);
  });

  test("maintenance counts as drained, ready does not", () => {
    const servers = [server({ name: "m", state: "maint" }), server({ name: "r" })];
    const made = publications({ servers }, byService).publications;
    expect(made.map(({ drained }) => drained)).toEqual([true, false]);
  });

  test("a value that is too long is refused, the rest goes on", () => {
    const meta = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, "v".repeat(256)]));
    const long = server({ name: "long", meta });
    const { publications: made, refusals } = publications({ servers: [long, server()] }, byService);
    expect(made.map(({ name }) => name)).toEqual(["web-1"]);
    expect(refusals).toEqual([
      {
        origin: long.origin,
        reason: expect.stringMatching(/^its value would be 5\d{3} bytes long/) as string,
      },
    ]);
  });

  test("names that are the same when they are cut are told apart by the container", () => {
    const name = (end: string) => `${"n".repeat(61)}${end}`;
    const servers = [server({ name: name("a") }), server({ name: name("b") })];
    const made = publications({ servers }, { ...byHost, host: "h".repeat(60) }).publications;
    expect(made.map((one) => one.name)).toEqual([
      `${"h".repeat(31)}-${"n".repeat(31)}`,
      `${"h".repeat(31)}-${"n".repeat(24)}-3f2a00`,
    ]);
  });
});

test("names: as asked for, with the host, with the id, none", () => {
  const taken = new Set<string>();
  const next = (name: string, host = "b"): string | null => {
    const free = freeName({ name, host, container: "3f2a1b998877", isTaken: (one) => taken.has(one) });
    if (free !== null) taken.add(free);
    return free;
  };
  expect([next("web-1"), next("web-1"), next("web-1"), next("web-1")]).toEqual([
    "web-1",
    "web-1-b",
    "web-1-3f2a1b",
    null,
  ]);
  const [long, host] = ["n".repeat(63), "h".repeat(63)];
  expect([next(long, host), next(long, host), next(long, host)]).toEqual([
    long,
    `${"n".repeat(31)}-${"h".repeat(31)}`,
    `${"n".repeat(56)}-3f2a1b`,
  ]);
});

test.each([
  ["a", "web-1", "a-web-1"],
  ["h".repeat(63), "web-1", `${"h".repeat(57)}-web-1`],
  ["h".repeat(63), "n".repeat(63), `${"h".repeat(31)}-${"n".repeat(31)}`],
  ["a", "n".repeat(63), `a-${"n".repeat(61)}`],
])("host %s and name %s make %s", (host, name, whole) => {
  expect(hostedName(host, name)).toBe(whole);
});

test.each([
  ["node1.example.org", "node1.example.org"],
  ["_über host", "ber-host"],
  ["--", null],
  ["", null],
])("the host name %j becomes %j", (given, name) => {
  expect(fitName(given)).toBe(name);
});

test("any names: valid, none twice in a backend, in the same order for the same servers", () => {
  const name = fc.oneof(
    fc.constantFrom("web-1", "web-2"),
    fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{50,62}$/),
  );
  const any = fc
    .record({ backend: fc.constantFrom("api", "webserver"), name, id: fc.nat(0xfffffff) })
    .map(({ id, ...rest }) =>
      server({
        ...rest,
        origin: { source: "docker", id: `${id.toString(16).padStart(12, "0")} x`, revision: "" },
      }),
    );
  const servers = fc.uniqueArray(any, { maxLength: 8, selector: (one) => `${one.backend}/${one.name}` });
  const options = fc.record({ host: name, serverNames: fc.constantFrom("service", "host") });
  fc.assert(
    fc.property(servers, options, (given, how) => {
      const result = publications({ servers: given }, how);
      const places = result.publications.map((one) => `${one.backend}/${one.name}`);
      expect(result.publications.length + result.refusals.length).toBe(given.length);
      expect(new Set(places).size).toBe(places.length);
      for (const one of result.publications) {
        expect(parseName("name", one.name).ok).toBe(true);
        expect(parseServerValue(one.value).ok).toBe(true);
      }
      expect(publications({ servers: given.toReversed() }, how)).toEqual(result);
    }),
    { numRuns: 500 },
  );
});

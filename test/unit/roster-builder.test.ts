import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildRoster, rosterBuilder } from "../../src/core/roster.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { type Override, snapshot, type Snapshot } from "../../src/core/snapshot.ts";
import { templateDataMaker } from "../../src/render/template-data.ts";

const OPTIONS = { defaultBackend: "webserver" };
const BACKENDS = ["webserver", "api"] as const;

/** Few names and addresses, so that they clash; now and then in no order at all. */
const server = (source: string): fc.Arbitrary<Server> =>
  fc
    .record({
      backend: fc.constantFrom(...BACKENDS),
      name: fc.constantFrom("a", "b", "c", "d", `a-${source}`),
      address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3"),
      path: fc.constantFrom(null, null, "/x", "/y"),
      host: fc.constantFrom(null, null, null, "x.example", "y.example"),
      revision: fc.constantFrom("1", "2"),
    })
    .map(({ path, host, address, backend, name, revision }) => ({
      ...plainFields(address, 80),
      backend,
      name,
      check: { path, intervalMs: null, rise: null, fall: null },
      routes: host === null ? [] : [{ host, path: null }],
      origin: { source, id: `${backend}/${name}`, revision },
      suffix: source,
    }));
const override: fc.Arbitrary<Override> = fc
  .record({ backend: fc.constantFrom(...BACKENDS, "none"), name: fc.constantFrom("a", "b", "x") })
  .map(({ backend, name }) => ({
    backend,
    name,
    state: "drain",
    weight: null,
    origin: { source: "etcd", id: `overrides/${backend}/${name}`, revision: "1" },
  }));

/** One change of one source: a server comes (or is replaced), one goes, or the overrides change. */
const step = fc.oneof(
  fc.record({ source: fc.constant("etcd"), come: server("etcd") }),
  fc.record({ source: fc.constant("docker"), come: server("docker") }),
  fc.record({ source: fc.constantFrom("etcd", "docker"), go: fc.nat(9) }),
  fc.record({ source: fc.constant("etcd"), overrides: fc.uniqueArray(override, { maxLength: 2 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function after(before: Snapshot, change: Step): Snapshot {
  if (before.source !== change.source) return before;
  if ("overrides" in change) return { ...before, overrides: change.overrides };
  const { servers } = before;
  if ("go" in change) return { ...before, servers: servers.filter((_, at) => at !== change.go) };
  const id = change.come.origin.id;
  return { ...before, servers: [...servers.filter(({ origin }) => origin.id !== id), change.come] };
}

const sorted = (picture: Snapshot): Snapshot => ({
  ...picture,
  servers: picture.servers.toSorted((a, b) => (a.origin.id < b.origin.id ? -1 : 1)),
});

describe("rosterBuilder", () => {
  it("builds what is built from nothing, whatever came before, and so do the templates' data", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, isSorted) => {
        const build = rosterBuilder(OPTIONS);
        const dataOf = templateDataMaker("webserver");
        let pictures = ["etcd", "docker"].map((source) => snapshot({ source, revision: "1" }));
        for (const change of steps) {
          pictures = pictures.map((picture) => after(picture, change));
          if (isSorted) pictures = pictures.map(sorted);
          const [built, whole] = [build(pictures), buildRoster(pictures, OPTIONS)];
          expect(built).toEqual(whole);
          expect(dataOf(built)).toEqual(templateDataMaker("webserver")(whole));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps a backend that did not change, and copies only the servers that did", () => {
    const [a, b, other] = ["a", "b", "other"].map((name) => ({
      ...plainFields("10.0.0.1", 80),
      backend: name === "other" ? "api" : "webserver",
      name,
      origin: { source: "etcd", id: name, revision: "1" },
      suffix: "etcd",
    })) as [Server, Server, Server];
    const build = rosterBuilder(OPTIONS);
    const dataOf = templateDataMaker("webserver");
    const picture = (servers: readonly Server[]): Snapshot[] => [
      snapshot({ source: "etcd", revision: "1", servers }),
    ];
    const [first, second] = [build(picture([other, a, b])), build(picture([other, a, { ...b, weight: 5 }]))];
    expect(second.backends[0]).toBe(first.backends[0]);
    expect(second.backends[1]).not.toBe(first.backends[1]);
    const [old, now] = [dataOf(first), dataOf(second)];
    expect(now.backends["api"]).toBe(old.backends["api"]);
    expect(now.servers[0]).toBe(old.servers[0]);
    expect(now.servers[1]).toMatchObject({ name: "b", weight: 5 });
    expect(old.servers[1]).toMatchObject({ name: "b", weight: null });
  });
});

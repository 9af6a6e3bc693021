import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildRoster } from "../../src/core/roster.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { type Override, snapshot, type Snapshot } from "../../src/core/snapshot.ts";

const server = (name: string, more: Partial<Server> = {}): Server => ({
  ...plainFields("10.0.0.1", 80),
  backend: "webserver",
  name,
  origin: { source: "etcd", id: `/app/servers/${name}`, revision: "1" },
  suffix: "etcd",
  ...more,
});
const etcd = (servers: readonly Server[], more: Partial<Snapshot> = {}): Snapshot =>
  snapshot({ source: "etcd", revision: "1", servers, ...more });
const docker = (servers: readonly Server[]): Snapshot =>
  snapshot({
    source: "docker",
    revision: "1",
    servers: servers.map((one) => ({
      ...one,
      suffix: "3f2a91",
      origin: { ...one.origin, source: "docker" },
    })),
  });
const roster = (...snapshots: readonly Snapshot[]) => buildRoster(snapshots, { defaultBackend: "webserver" });
const served = (given: ReturnType<typeof roster>): string[] =>
  given.backends.flatMap((backend) =>
    backend.servers.map((one) => `${backend.name}/${one.name} ${one.address}`),
  );

describe("buildRoster", () => {
  it("always has the default backend", () => {
    expect(roster().backends).toEqual([{ name: "webserver", servers: [] }]);
  });

  it("is the same for the same servers in any order", () => {
    const some = ["b", "a", "C", "z9", "_x", "ä"].map((name, at) =>
      server(name, { address: `10.0.0.${at}` }),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(some, { minLength: some.length }), (shuffled) => {
        expect(roster(etcd(shuffled))).toEqual(roster(etcd(some)));
      }),
    );
  });

  it("serves both when two sources claim a name, the second under another one", () => {
    const both = roster(etcd([server("web")]), docker([server("web", { address: "10.0.0.2" })]));
    expect(served(both)).toEqual(["webserver/web 10.0.0.1", "webserver/web-3f2a91 10.0.0.2"]);
    expect(both.warnings[0]?.reason).toContain("is held by etcd /app/servers/web; served as web-3f2a91");
  });

  it("serves one server once, though two sources name it", () => {
    const both = roster(etcd([server("web")]), docker([server("web")]));
    expect(served(both)).toEqual(["webserver/web 10.0.0.1"]);
    expect(both.warnings[0]?.reason).toContain("the same server");
  });

  it("never makes a name longer than 63 characters", () => {
    const name = "n".repeat(63);
    const both = roster(etcd([server(name)]), docker([server(name, { address: "10.0.0.2" })]));
    expect(both.backends[0]?.servers.map((one) => one.name.length)).toEqual([63, 63]);
  });

  it("lays overrides over servers of any source, and says which fit nothing", () => {
    const origin = { source: "etcd", id: "/app/overrides/web", revision: "2" };
    const override = (name: string, more: Partial<Override>): Override => ({
      backend: "webserver",
      name,
      state: null,
      weight: null,
      origin,
      ...more,
    });
    const overrides = [
      override("web", { state: "drain" }),
      override("web", { weight: 7 }),
      override("gone", {}),
    ];
    const result = roster(etcd([], { overrides }), docker([server("web")]));
    expect(result.backends[0]?.servers[0]).toMatchObject({ state: "drain", weight: 7 });
    expect(result.warnings.map((one) => one.reason)).toEqual(["no server webserver/gone to override"]);
  });

  it("warns of two servers with one address, and of two check paths in one backend", () => {
    const check = { path: "/a", intervalMs: null, rise: null, fall: null };
    const result = roster(etcd([server("a", { check }), server("b", { check: { ...check, path: "/b" } })]));
    expect(result.warnings.map((one) => one.reason)).toEqual([
      "same address as a in backend webserver",
      "check path /b: a backend has one path, /a of a is used",
    ]);
  });

  it("sorts routes so that the more specific one comes first", () => {
    const routes = (backend: string, ...given: [string | null, string | null][]): Server =>
      server(backend, { backend, routes: given.map(([host, path]) => ({ host, path })) });
    const result = roster(
      etcd([
        routes("any", [null, "/"], [null, "/api"]),
        routes("wild", ["*.example.org", "/long"], ["*.z.example.org", null]),
        routes("exact", ["a.example.org", null], ["a.example.org", "/x"]),
      ]),
    );
    expect(result.routes.map(({ host, path }) => `${host ?? ""}${path ?? ""}`)).toEqual([
      "a.example.org/x",
      "a.example.org",
      "*.z.example.org",
      "*.example.org/long",
      "/api",
      "/",
    ]);
  });

  it("keeps the backend and the routes of entries that wait", () => {
    const waiting = [
      {
        origin: server("a").origin,
        reason: "waiting for healthy: starting",
        backend: "api",
        name: "a",
        routes: [{ host: "api.example.org", path: null }],
      },
    ];
    const result = roster(etcd([], { waiting }));
    expect(result.backends.map((backend) => backend.name)).toEqual(["api", "webserver"]);
    expect(result.routes).toEqual([{ host: "api.example.org", path: null, backend: "api" }]);
  });
});

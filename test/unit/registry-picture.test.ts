import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegistryLayout } from "../../src/core/registry-entry.ts";
import { registryPicture, type RegistryPicture } from "../../src/core/registry-picture.ts";

const LAYOUT: RegistryLayout = {
  source: "etcd",
  prefix: "/app/servers/",
  overridesPrefix: "/app/overrides/",
  watch: [],
  defaultBackend: "webserver",
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function filled(entries: Readonly<Record<string, string>>, layout: Partial<RegistryLayout> = {}) {
  const picture = registryPicture({ ...LAYOUT, ...layout });
  for (const [key, value] of Object.entries(entries)) {
    picture.put({ key: bytes(key), value: bytes(value), modRevision: "7", isLeased: false });
  }
  return picture;
}

describe("registryPicture", () => {
  test("sorts entries into servers, overrides and refusals, each by key", () => {
    const found = filled({
      "/app/servers/web2": "10.0.0.2:80",
      "/app/servers/web1": "10.0.0.1:80 weight=5\n",
      "/app/servers/api/x": "10.0.0.3:80",
      "/app/servers/bad": "10.0.0.3",
      "/app/overrides/web1": "drain",
      "/app/overrides/web2": "explode",
    }).snapshot("9");
    expect(found).toMatchObject({ source: "etcd", revision: "9", warnings: [], waiting: [] });
    expect(found.servers.map((server) => `${server.backend}/${server.name}`)).toEqual([
      "api/x",
      "webserver/web1",
      "webserver/web2",
    ]);
    expect(found.servers[1]).toMatchObject({
      address: "10.0.0.1",
      weight: 5,
      suffix: "etcd",
      origin: { source: "etcd", id: "/app/servers/web1", revision: "7" },
    });
    expect(found.overrides).toMatchObject([{ name: "web1", state: "drain" }]);
    expect(found.quarantined.map(({ origin }) => origin.id)).toEqual([
      "/app/overrides/web2",
      "/app/servers/bad",
    ]);
    expect(found.quarantined[1]?.reason).toContain("is not HOST:PORT");
  });

  test("what is refused for its length is not kept, and what is kept is counted", () => {
    const picture = filled(
      {
        "/app/servers/big": "x".repeat(1_000_000),
        "/app/servers/bad": "10.0.0.1",
        "/app/config/a": "y".repeat(9000),
      },
      { watch: ["/app/config/"] },
    );
    const sizes = new Map(picture.remember().map(([key, text]) => [key, text.length]));
    expect([...sizes]).toEqual([
      ["/app/servers/bad", 8],
      ["/app/config/a", 9000],
    ]);
    expect(picture.textLength).toBe(9008);
    expect(picture.snapshot("1").quarantined.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^"10\.0\.0\.1" is not HOST:PORT/),
      "the value is longer than 4096 bytes",
    ]);
    picture.remove(bytes("/app/config/a"), 0);
    expect(picture.textLength).toBe(8);
  });

  test("a JSON value of several lines is one line for templates", () => {
    const value = '{\n\t"address": "10.0.0.1:80"\r\n}\n';
    expect([...filled({ "/app/servers/web1": value }).snapshot("1").keys.values()]).toEqual([
      '{  "address": "10.0.0.1:80"  }',
    ]);
  });

  test("templates get the keys of servers and of watched prefixes, but of no refused server", () => {
    const servers = { "/app/servers/web1": " 10.0.0.1:80\n", "/app/servers/bad": "10.0.0.1:80\nserver evil" };
    const entries = { ...servers, "/app/config/a": "ä\n", "/app/other": "x" };
    expect([...filled(entries, { watch: ["/app/config/"] }).snapshot("1").keys]).toEqual([
      ["/app/config/a", "ä\n"],
      ["/app/servers/web1", "10.0.0.1:80"],
    ]);
  });

  test("a watched prefix may hold the servers too", () => {
    const entries = { "/app/servers/web1": "10.0.0.1:80", "/app/config/a": "ä", "/app/other": "x" };
    const all = filled(entries, { watch: ["/app/"] }).snapshot("1");
    expect([...all.keys.keys()]).toEqual(["/app/config/a", "/app/other", "/app/servers/web1"]);
    expect(all.servers).toHaveLength(1);
    expect(all.quarantined).toEqual([]);
  });

  test("overrides below the servers' prefix are no servers, and the other way round", () => {
    const entries = { "/lb/web1": "10.0.0.1:80", "/lb/overrides/web1": "drain" };
    const below = filled(entries, { prefix: "/lb/", overridesPrefix: "/lb/overrides/" }).snapshot("1");
    expect(below.servers.map(({ name }) => name)).toEqual(["web1"]);
    expect(below.overrides).toMatchObject([{ name: "web1" }]);
    const above = filled(
      { "/lb/servers/web1": "10.0.0.1:80", "/lb/web1": "drain" },
      { prefix: "/lb/servers/", overridesPrefix: "/lb/" },
    ).snapshot("1");
    expect(above.servers).toHaveLength(1);
    expect(above.overrides).toHaveLength(1);
  });

  test("a new value replaces the old one, a removed key is gone", () => {
    const picture = filled({ "/app/servers/web1": "10.0.0.1:80" });
    const before = picture.snapshot("1");
    picture.put({
      key: bytes("/app/servers/web1"),
      value: bytes("nonsense"),
      modRevision: "8",
      isLeased: false,
    });
    expect(picture.snapshot("2")).toMatchObject({
      servers: [],
      quarantined: [{ origin: { revision: "8" } }],
    });
    picture.remove(bytes("/app/servers/web1"), 0);
    picture.remove(bytes("/app/servers/never-there"), 0);
    expect(picture.snapshot("3")).toMatchObject({ servers: [], quarantined: [] });
    expect(picture.size).toBe(0);
    expect(before.servers).toHaveLength(1);
  });

  test("bytes that are no text are quarantined, each key for itself", () => {
    const picture = registryPicture({ ...LAYOUT, watch: ["/app/config/"] });
    const put = (key: Uint8Array, value: Uint8Array): void =>
      picture.put({ key, value, modRevision: "1", isLeased: false });
    put(bytes("/app/servers/web1"), Uint8Array.of(0xff, 0xfe));
    put(bytes("/app/config/a"), Uint8Array.of(0x80));
    put(Uint8Array.of(...bytes("/app/servers/"), 0xe9), bytes("10.0.0.1:80"));
    put(Uint8Array.of(...bytes("/app/servers/"), 0xe8), bytes("10.0.0.1:80"));
    put(bytes("/app/servers/é"), bytes("10.0.0.1:80"));
    const found = picture.snapshot("1");
    expect(found.servers).toEqual([]);
    expect(found.keys.size).toBe(0);
    expect(found.quarantined).toHaveLength(5);
    expect(found.quarantined.filter(({ reason }) => reason.includes("not UTF-8 text"))).toHaveLength(4);
  });

  test("after any writes and new lists it is what a picture of the last entries alone would be", () => {
    const key = fc.constantFrom(
      ...["servers/a", "servers/b", "servers/api/a", "overrides/a", "config/a", "other"].map(
        (one) => `/app/${one}`,
      ),
    );
    const value = fc.constantFrom("10.0.0.1:80", " 10.0.0.2:80 weight=5\n", "drain", "nonsense");
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ key, value: fc.option(value), look: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant("list again" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const layout = { ...LAYOUT, watch: ["/app/config/"] };
        const entries = new Map<string, { value: string; modRevision: string }>();
        const fill = (picture: RegistryPicture): RegistryPicture => {
          for (const [at, { value: text, modRevision }] of entries) {
            picture.put({ key: bytes(at), value: bytes(text), modRevision, isLeased: false });
          }
          return picture;
        };
        let picture = registryPicture(layout);
        for (const [at, change] of steps.entries()) {
          if (change === "list again") picture = fill(picture.successor());
          else if (change.value === null) {
            entries.delete(change.key);
            picture.remove(bytes(change.key), 0);
          } else {
            const entry = { value: change.value, modRevision: String(at) };
            entries.set(change.key, entry);
            picture.put({ key: bytes(change.key), ...entry, value: bytes(change.value), isLeased: false });
          }
          if (change !== "list again" && !change.look) continue;
          const [found, wanted] = [picture.snapshot("1"), fill(registryPicture(layout)).snapshot("1")];
          expect({ ...found, keys: [...found.keys] }).toEqual({ ...wanted, keys: [...wanted.keys] });
          expect(picture.size).toBe(entries.size);
        }
      }),
    );
  });

  test("an entry that is listed again means the same objects; one that only has the same revision does not", () => {
    const first = filled({ "/app/servers/web1": "10.0.0.1:80", "/app/servers/web2": "10.0.0.2:80" });
    const [web1, web2] = first.snapshot("7").servers;
    const second = first.successor();
    expect(second.size).toBe(0);
    // As after a wipe of the store, which begins to count its revisions anew.
    for (const [name, value] of [
      ["web1", "10.0.0.1:80"],
      ["web2", "10.0.0.9:80"],
    ] as const) {
      second.put({
        key: bytes(`/app/servers/${name}`),
        value: bytes(value),
        modRevision: "7",
        isLeased: false,
      });
    }
    const { servers } = second.snapshot("7");
    expect(servers[0]).toBe(web1);
    expect(servers[1]).toEqual({ ...web2, address: "10.0.0.9" });
  });

  test("lists in which nothing changed are the very same in the next snapshot", () => {
    const picture = filled({ "/app/servers/web1": "10.0.0.1:80", "/app/overrides/web1": "drain" });
    const before = picture.snapshot("1");
    picture.put({
      key: bytes("/app/servers/web1"),
      value: bytes("10.0.0.2:80"),
      modRevision: "8",
      isLeased: false,
    });
    const after = picture.snapshot("2");
    expect(after.overrides).toBe(before.overrides);
    expect(after.servers).not.toBe(before.servers);
    expect(before.servers[0]?.address).toBe("10.0.0.1");
  });

  test("an odd or endless key is shown quoted and cut", () => {
    const picture = filled({ "/app/servers/a\n\u001b[31m": "10.0.0.1:80" });
    picture.put({
      key: bytes(`/app/servers/${"x".repeat(1_000_000)}`),
      value: bytes("a:80"),
      modRevision: "1",
      isLeased: false,
    });
    const [odd, endless] = picture.snapshot("1").quarantined;
    expect(odd?.origin.id).toBe(String.raw`"/app/servers/a\n\u001b[31m"`);
    expect(endless?.origin.id.length).toBeLessThan(100);
    expect(endless?.reason.length).toBeLessThan(300);
  });

  test("ten thousand entries: a picture after each of a thousand writes takes little time", () => {
    const picture = registryPicture(LAYOUT);
    const put = (n: number, value: string): void =>
      picture.put({
        key: bytes(`/app/servers/b${n % 50}/s${n}`),
        value: bytes(value),
        modRevision: String(n),
        isLeased: false,
      });
    for (let n = 0; n < 10_000; n++) put(n, "10.0.0.1:80");
    const startedAt = performance.now();
    for (let n = 0; n < 1000; n++) {
      put(n, "10.0.0.2:80");
      picture.snapshot(String(n));
    }
    expect(picture.snapshot("x").servers.filter(({ address }) => address === "10.0.0.2")).toHaveLength(1000);
    // Parsing all entries anew each time would take a hundred seconds here.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

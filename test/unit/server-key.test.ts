import { describe, expect, test } from "vitest";
import { parseOverride } from "../../src/core/override.ts";
import { parseServerKey } from "../../src/core/server-key.ts";

const refused = (part: string) => ({ ok: false, reason: expect.stringContaining(part) as string });
const origin = { source: "etcd", id: "k", revision: "7" };

describe("parseServerKey", () => {
  const parse = (key: string) =>
    parseServerKey({ key, prefix: "/app/servers/", defaultBackend: "webserver" });

  test.each([
    ["/app/servers/web1", { backend: "webserver", name: "web1" }],
    ["/app/servers/api/web-1.a_b", { backend: "api", name: "web-1.a_b" }],
    [`/app/servers/${"x".repeat(63)}`, { backend: "webserver", name: "x".repeat(63) }],
  ])("%s", (key, value) => expect(parse(key)).toEqual({ ok: true, value }));

  test.each([
    ["/app/servers/", "has no server name: write /app/servers/NAME or /app/servers/BACKEND/NAME"],
    ["/app/servers/api/", "has no server name"],
    ["/app/servers/a/b/c", "is too deep: write /app/servers/NAME"],
    ["/app/servers//web1", 'backend "" is not allowed'],
    ["/app/servers/-x", 'server name "-x" is not allowed'],
    ["/app/servers/a b", "is not allowed"],
    ["/app/servers/a\nb", "is not allowed"],
    ["/app/servers/ä", "is not allowed"],
    ["/app/servers/..", "is not allowed"],
    [`/app/servers/${"x".repeat(64)}`, "is not allowed"],
    ["/app/other/web1", "is outside of /app/servers/"],
  ])("%j is refused", (key, reason) => expect(parse(key)).toEqual(refused(reason)));
});

describe("parseOverride", () => {
  const parse = (key: string, value: string) =>
    parseOverride({ key, value, prefix: "/app/overrides/", defaultBackend: "webserver", origin });
  const target = { backend: "webserver", name: "web1", origin };

  test.each([
    ["drain", { state: "drain", weight: null }],
    ["maint\n", { state: "maint", weight: null }],
    [" ready", { state: "ready", weight: null }],
    ["weight=0", { state: null, weight: 0 }],
    ["weight=256", { state: null, weight: 256 }],
  ])("%j", (value, override) =>
    expect(parse("/app/overrides/web1", value)).toEqual({ ok: true, value: { ...target, ...override } }),
  );

  test.each(["", "down", "weight", "weight=", "weight=257", "drain weight=5", "DRAIN"])(
    "%j is refused",
    (value) => expect(parse("/app/overrides/web1", value)).toMatchObject({ ok: false }),
  );

  test("names the backend like a server's key does", () => {
    expect(parse("/app/overrides/api/web1", "drain")).toMatchObject({
      value: { backend: "api", name: "web1" },
    });
    expect(parse("/app/overrides/a/b/c", "drain")).toEqual(refused("too deep"));
  });
});

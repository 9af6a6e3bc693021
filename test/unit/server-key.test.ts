import { describe, expect, test } from "vitest";
import { overrideText, parseOverride } from "../../src/core/override.ts";
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
    ["drain weight=5", { state: "drain", weight: 5 }],
    ["weight=5  maint", { state: "maint", weight: 5 }],
  ] as const)("%j", (value, override) => {
    const wanted = { ok: true, value: { ...target, ...override } };
    expect(parse("/app/overrides/web1", value)).toEqual(wanted);
    expect(parse("/app/overrides/web1", overrideText(override))).toEqual(wanted);
  });

  test.each([
    ["", 'override "" is none of drain, maint, ready, weight=N'],
    ["down", 'override "down" is none of'],
    ["weight", 'override "weight" is none of'],
    ["weight=", 'weight: "" is not a whole number'],
    ["weight=257", "is not a whole number from 0 to 256"],
    ["DRAIN", 'override "DRAIN" is none of'],
    ["drain maint", 'override "drain maint" has two states'],
    ["weight=5 weight=5", "has two weights"],
    ["drain weight=x", 'weight: "x" is not a whole number'],
    ["drain, weight=5", 'override "drain, weight=5" is none of'],
  ])("%j is refused", (value, reason) =>
    expect(parse("/app/overrides/web1", value)).toEqual(refused(reason)),
  );

  test("names the backend like a server's key does", () => {
    expect(parse("/app/overrides/api/web1", "drain")).toMatchObject({
      value: { backend: "api", name: "web1" },
    });
    expect(parse("/app/overrides/a/b/c", "drain")).toEqual(refused("too deep"));
  });
});

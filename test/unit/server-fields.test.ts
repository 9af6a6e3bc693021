import { describe, expect, test } from "vitest";
import * as fields from "../../src/core/server-fields.ts";

const accepted = (value: unknown) => ({ ok: true, value });
const refused = (part: string) => ({ ok: false, reason: expect.stringContaining(part) as string });

describe("numbers", () => {
  test.each([
    ["0", 0],
    ["256", 256],
  ])("weight %s", (text, value) => expect(fields.parseWeight(text)).toEqual(accepted(value)));

  test.each(["257", "-1", "+1", "01", "1.5", "1e2", "0x10", "", " 1", "1\n", "١"])(
    "weight %j is refused",
    (text) => expect(fields.parseWeight(text)).toEqual(refused("is not a whole number from 0 to 256")),
  );

  test("maxconn reaches as far as HAProxy's own", () => {
    expect(fields.parseMaxconn("2147483647")).toEqual(accepted(2147483647));
    expect(fields.parseMaxconn("2147483648")).toEqual(refused("from 0 to 2147483647"));
  });

  test("a count is from 1 to 100", () => {
    expect(fields.parseCount("0")).toEqual(refused("from 1 to 100"));
    expect(fields.parseCount("100")).toEqual(accepted(100));
    expect(fields.parseCount("101")).toEqual(refused("from 1 to 100"));
  });
});

test.each(["true", "1", "yes", "on", "TRUE", "On"])("%s is true", (text) =>
  expect(fields.parseBoolean(text)).toEqual(accepted(true)),
);
test.each(["false", "0", "no", "off"])("%s is false", (text) =>
  expect(fields.parseBoolean(text)).toEqual(accepted(false)),
);
test.each(["", "y", "enable", "true "])("%j is no boolean", (text) =>
  expect(fields.parseBoolean(text)).toEqual(refused("neither true nor false")),
);

describe("paths", () => {
  test.each(["/", "/healthz?full=1&x=a+b", "/a.b/~c/@d,e:f-_", `/${"x".repeat(255)}`])("%s", (text) => {
    expect(fields.parseCheckPath(text)).toEqual(accepted(text));
    expect(fields.parseRoutePath(text)).toEqual(accepted(text));
  });

  test.each([
    "",
    "healthz",
    "/a b",
    "/a\n",
    '/"',
    "/%20",
    "/$X",
    "/#x",
    "/\\",
    "/ä",
    "/{}",
    `/${"x".repeat(256)}`,
  ])("%j is refused", (text) => expect(fields.parseCheckPath(text)).toEqual(refused("a path begins with")));
});

describe("route hosts", () => {
  test.each([
    ["example.org", "example.org"],
    ["Example.ORG", "example.org"],
    ["*.example.org", "*.example.org"],
    ["localhost", "localhost"],
  ])("%s", (text, value) => expect(fields.parseRouteHost(text)).toEqual(accepted(value)));

  test.each([
    "",
    "*",
    "*.",
    "*.*.org",
    "a.*.org",
    "example.org:80",
    "10.0.0.1",
    "fd00::a",
    "[fd00::a]",
    "-a.org",
    "a b",
  ])("%j is refused", (text) => expect(fields.parseRouteHost(text)).toEqual(refused("is not a host name")));
});

describe("tags", () => {
  test.each([
    ["", []],
    ["blue", ["blue"]],
    ["blue, canary,blue", ["blue", "canary"]],
  ])("%j", (text, tags) => expect(fields.parseTags(text)).toEqual(accepted(tags)));

  test.each(["a,", ",", "a b", "a,b;c", "x".repeat(64), 'a"'])("%j is refused", (text) =>
    expect(fields.parseTags(text)).toEqual(refused("is not allowed")),
  );
});

describe("meta", () => {
  test("is sorted by key and survives a copy as JSON", () => {
    const meta = fields.parseMeta([
      ["zone", "a b (c)"],
      ["constructor", "1"],
    ]);
    expect(meta).toEqual(accepted({ constructor: "1", zone: "a b (c)" }));
    expect(JSON.stringify(meta.ok && meta.value)).toBe('{"constructor":"1","zone":"a b (c)"}');
  });

  test.each([
    ["__proto__", "x", "meta key"],
    ["", "x", "meta key"],
    ["a b", "x", "meta key"],
    ["a", "x\ny", "meta a"],
    ["a", 'say "x"', "meta a"],
    ["a", "%[env(HOME)]", "meta a"],
    ["a", "${HOME}", "meta a"],
    ["a", "`id`", "meta a"],
    ["a", "x;y", "meta a"],
    ["a", "it's", "meta a"],
    ["a", "C:\\", "meta a"],
    ["a", "# no", "meta a"],
    ["a", "ä", "meta a"],
    ["a", "x".repeat(257), "meta a"],
  ])("%j = %j is refused", (key, value, reason) =>
    expect(fields.parseMeta([[key, value]])).toEqual(refused(reason)),
  );

  test("a key given twice is refused", () => {
    const pairs = [
      ["a", "1"],
      ["a", "2"],
    ] as const;
    expect(fields.parseMeta(pairs)).toEqual(refused("given twice"));
  });
});

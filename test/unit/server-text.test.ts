import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drainedText, isDrained, serverText } from "../../src/core/server-text.ts";
import { parseServerValue } from "../../src/core/server-value.ts";
import { plainFields, type ServerFields } from "../../src/core/server.ts";

const plain = plainFields("10.0.0.5", 80);
const text = (given: Partial<ServerFields>) => serverText({ ...plain, ...given });
const check = { path: null, intervalMs: null, rise: null, fall: null };

describe("the shortest form", () => {
  test.each<readonly [Partial<ServerFields>, string]>([
    [{}, "10.0.0.5:80"],
    [{ address: "fd00::5" }, "[fd00::5]:80"],
    [{ weight: 0, backup: true, maxconn: 0 }, "10.0.0.5:80 weight=0 backup maxconn=0"],
    [{ state: "drain", check: false }, "10.0.0.5:80 check=off state=drain"],
    [
      { check: { path: "/a?b=c", intervalMs: 1500, rise: 1, fall: 100 } },
      "10.0.0.5:80 check=/a?b=c interval=1500ms rise=1 fall=100",
    ],
    [{ check: { ...check, intervalMs: 120_000 } }, "10.0.0.5:80 interval=2m"],
    [
      { tags: ["a", "b"], meta: { zone: "x=y" }, routes: [{ host: "*.a.org", path: "/p" }] },
      "10.0.0.5:80 host=*.a.org path=/p tags=a,b meta.zone=x=y",
    ],
    [
      { meta: { note: "two words" }, routes: [{ host: null, path: "/p" }], check: false },
      '{"address":"10.0.0.5:80","check":false,"meta":{"note":"two words"},"path":"/p"}',
    ],
    [{ meta: { a: "" }, state: "maint" }, '{"address":"10.0.0.5:80","state":"maint","meta":{"a":""}}'],
    [
      {
        routes: [
          { host: "a.org", path: "/p" },
          { host: null, path: "/q" },
        ],
        check: { ...check, rise: 2 },
      },
      '{"address":"10.0.0.5:80","check":{"rise":2},"routes":[{"host":"a.org","path":"/p"},{"path":"/q"}]}',
    ],
  ])("%j", (given, expected) => {
    expect(text(given)).toEqual({ ok: true, value: expected });
  });
});

const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,63}$/);
const metaValue = fc.stringMatching(/^[ !&()*+,\-./0-9:<=>?@A-Z[\]^_a-z{|}~]{0,256}$/);
const path = fc.stringMatching(/^\/[A-Za-z0-9._~/?&=+:@,-]{0,40}$/);
const routeHost = fc.constantFrom("example.org", "*.example.org", "a-b.c_d.example");
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of);
const route = fc.oneof(
  fc.record({ host: routeHost, path: maybe(path) }),
  fc.record({ host: fc.constant(null), path }),
);
const meta = (value: fc.Arbitrary<string>, minKeys: number, maxKeys: number) =>
  fc.dictionary(
    word.filter((key) => key !== "__proto__"),
    value,
    { noNullPrototype: true, minKeys, maxKeys },
  );
/** Everything that a value or labels can say. */
const anyFields: fc.Arbitrary<ServerFields> = fc.record({
  address: fc.constantFrom("10.0.0.5", "fd00::5", "app.example.org", "a"),
  port: fc.integer({ min: 1, max: 65_535 }),
  weight: maybe(fc.nat(256)),
  backup: fc.boolean(),
  maxconn: maybe(fc.nat(2 ** 31 - 1)),
  state: fc.constantFrom("ready", "drain", "maint"),
  check: fc.oneof(
    fc.constant(false as const),
    fc.record({
      path: maybe(path),
      intervalMs: maybe(fc.oneof(fc.integer({ min: 1, max: 86_400_000 }), fc.constantFrom(2000, 3_600_000))),
      rise: maybe(fc.integer({ min: 1, max: 100 })),
      fall: maybe(fc.integer({ min: 1, max: 100 })),
    }),
  ),
  tags: fc.uniqueArray(word, { maxLength: 4 }),
  meta: fc.oneof(fc.constant({}), meta(metaValue, 0, 4), meta(fc.constant("v".repeat(256)), 12, 18)),
  routes: fc.array(route, { maxLength: 4 }),
});

test("what is written is read as the same, never too long, and can be drained", () => {
  const seen = { plain: 0, words: 0, json: 0, refused: 0 };
  fc.assert(
    fc.property(anyFields, (fields) => {
      const written = serverText(fields);
      if (!written.ok) {
        seen.refused++;
        expect(written.reason).toMatch(/^its value would be \d+ bytes long, and 4096 is the most/);
        return;
      }
      const { value } = written;
      seen[value.startsWith("{") ? "json" : value.includes(" ") ? "words" : "plain"]++;
      expect(value.length).toBeLessThanOrEqual(4096);
      expect(parseServerValue(value)).toEqual({ ok: true, value: fields });
      expect(isDrained(value)).toBe(fields.state !== "ready");
      const drained = drainedText(value) ?? "";
      const state = fields.state === "ready" ? "drain" : fields.state;
      expect(parseServerValue(drained)).toEqual({ ok: true, value: { ...fields, state } });
      expect(isDrained(drained)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(seen.words).toBeGreaterThan(100);
  expect(seen.json).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(5);
});

test("room for the drain is kept", () => {
  const long = (last: number) =>
    text({
      meta: Object.fromEntries(
        [256, 256, last].flatMap((length, index) => [["x".repeat(63 - index), "v".repeat(length)]]),
      ),
      tags: Array.from({ length: 50 }, (_, index) => `${index}`.padStart(63, "t")),
    });
  const most = Array.from({ length: 257 }, (_, length) => length).findLast((length) => long(length).ok) ?? 0;
  const fits = long(most);
  expect(fits.ok && fits.value.length).toBe(4096 - " state=drain".length);
  expect(fits.ok && drainedText(fits.value)?.length).toBe(4096);
  expect(long(most + 1)).toMatchObject({ ok: false });
});

describe("a stored value", () => {
  test.each([
    ["10.0.0.5:80", "10.0.0.5:80 state=drain"],
    [" app:80  backup \n", "app:80 backup state=drain"],
    ["10.0.0.5:80 state=maint", "10.0.0.5:80 state=maint"],
    [
      '{"address":"10.0.0.5:80","meta":{"a":"b c"}}',
      '{"address":"10.0.0.5:80","state":"drain","meta":{"a":"b c"}}',
    ],
    ["nothing", null],
    ["", null],
  ])("%j is drained as %j", (stored, drained) => {
    expect(drainedText(stored)).toBe(drained);
  });

  test("is drained or not", () => {
    const values = [
      "10.0.0.5:80",
      "10.0.0.5:80 state=drain",
      '{"address":"a:80","state":"maint"}',
      "state=drain",
    ];
    expect(values.map(isDrained)).toEqual([false, true, true, false]);
  });
});

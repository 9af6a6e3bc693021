import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseServerValue } from "../../src/core/server-value.ts";
import { hostPort, type ServerFields } from "../../src/core/server.ts";

/** What people who mean harm, or only made a mistake, put into a registry. */
const HOSTILE = [
  "10.0.0.1:80\n  server evil 6.6.6.6:80",
  "10.0.0.1:80\r\nglobal",
  "10.0.0.1:80\u2028x",
  "${HOME}:80",
  '"${HOME}":80',
  "%[env(HOME)]:80",
  "10.0.0.1:80 meta.a=%[env(HOME)]",
  "10.0.0.1:80 check=/%[env(HOME)]",
  "10.0.0.1:80 check=/a'b",
  "unix@/var/run/docker.sock",
  "/var/run/docker.sock",
  "/var/run/docker.sock:80",
  "abns@x:80",
  "fd@3:80",
  "sockpair@3",
  "ipv4@10.0.0.1:80",
  "127.1:80",
  "0x7f.1:80",
  "2130706433:80",
  "0177.0.0.1:80",
  "*:80",
  ":80",
  "0.0.0.0:80",
  "[::]:80",
  "[0:0::0]:80",
  "[::]:80 backup",
  "10.0.0.1:+80",
  "10.0.0.1:0",
  "10.0.0.1:080",
  "10.0.0.1:80-90",
  "[10.0.0.1]:80",
  "[fd00::1%eth0]:80",
  "fd00::1:80",
  "a..b:80",
  "-a:80",
  "10.0.0.1:80 backup\u0000",
  '{"address":"10.0.0.1:80\\n server x 6.6.6.6:80"}',
  '{"address":"10.0.0.1:80","host":"a\\"b"}',
  '{"address":"unix@/var/run/docker.sock"}',
  '{"address":"10.0.0.1:80","__proto__":{"backup":true}}',
  '{"address":"10.0.0.1:80","constructor":{}}',
  '{"address":["10.0.0.1:80"]}',
  '{"address":{"toString":"x"}}',
  "[".repeat(4096),
  `{${'"a":{'.repeat(800)}`,
  "x".repeat(1_000_000),
  "💥:80",
  "\ud800:80",
];

/** Pieces from which values that nearly fit are made. */
const PIECES = [
  "10.0.0.1:80",
  "[fd00::1]:80",
  "app:80",
  " ",
  "weight=",
  "50",
  "backup",
  "check=",
  "/healthz",
  "state=",
]
  .concat([
    "drain",
    "interval=2s",
    "tags=",
    "a,b",
    "meta.k=",
    "v",
    "host=",
    "*.example.org",
    "path=",
    "\n",
    "\r",
    '"',
  ])
  .concat([
    "'",
    "#",
    "\\",
    "$",
    "%",
    "`",
    ";",
    "\0",
    "{",
    "}",
    ":",
    "[",
    "]",
    ",",
    "ä",
    "\u2028",
    "unix@/x",
    "=",
    "/",
  ]);

const word = (text: string | number): string => {
  expect(String(text)).toMatch(/^[A-Za-z0-9_.:[\]/~?&=+@,*-]+$/);
  return String(text);
};

/** Prints all that a template could print of a server; fails on anything that a configuration reads as syntax. */
function printSafely(fields: ServerFields): void {
  word(hostPort(fields));
  for (const number of [fields.weight, fields.maxconn]) if (number !== null) word(number);
  word(fields.state);
  if (fields.check !== false && fields.check.path !== null) word(fields.check.path);
  for (const route of fields.routes)
    for (const text of [route.host, route.path]) if (text !== null) word(text);
  fields.tags.forEach(word);
  for (const [key, value] of Object.entries(fields.meta)) {
    word(key);
    expect(value).toMatch(/^[\x20-\x7E]*$/);
    expect(value).not.toMatch(/["'`#\\$%;]/);
  }
  expect(Object.getPrototypeOf(fields.meta)).toBe(Object.prototype);
}

function accepts(text: string): boolean {
  const parsed = parseServerValue(text);
  if (!parsed.ok) {
    expect(parsed.reason).toMatch(/^[^\n\r]{5,400}$/);
    return false;
  }
  printSafely(parsed.value);
  return true;
}

test.each(HOSTILE)("hostile: %.60j", (text) => {
  expect(accepts(text)).toBe(false);
});

describe("fuzz", () => {
  test("any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => void accepts(text)),
      { numRuns: 2000 },
    );
  });

  test("nearly right text, in which nothing odd is ever accepted", () => {
    let accepted = 0;
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(""));
    const property = fc.property(text, (value) => {
      if (!accepts(`10.0.0.1:80 ${value}`)) return;
      accepted++;
      expect(value.trim()).not.toMatch(/[\n\r"'`#\\$%;\0]/);
    });
    fc.assert(property, { numRuns: 5000 });
    expect(accepted).toBeGreaterThan(20);
  });

  test("any JSON", () => {
    const mostly = (good: readonly unknown[], odd: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: odd });
    const text = fc.string({ unit: "binary", maxLength: 6 });
    const value = fc.record(
      {
        address: mostly(["10.0.0.1:80", "app:8000"], text),
        weight: mostly([0, 50, null], fc.jsonValue()),
        state: mostly(["drain", "maint"], text),
        check: mostly(
          [true, { path: "/x" }],
          fc.oneof(fc.jsonValue(), fc.record({ path: text, interval: text })),
        ),
        tags: mostly([["a"], []], fc.array(text)),
        meta: mostly([{ a: "b c" }], fc.dictionary(text, text)),
        host: mostly(["example.org"], text),
        path: mostly(
          ["/api"],
          text.map((end) => `/${end}`),
        ),
      },
      { requiredKeys: ["address"] },
    );
    let accepted = 0;
    const property = fc.property(value, (json) => {
      if (accepts(JSON.stringify(json))) accepted++;
    });
    fc.assert(property, { numRuns: 3000 });
    expect(accepted).toBeGreaterThan(500);
  });
});

import { describe, expect, test } from "vitest";
import { parseYaml, yamlEntries } from "../../src/lib/yaml.ts";

describe("parseYaml", () => {
  test.each([
    ["a: 1\nb: [x, 'y']\n", { a: 1, b: ["x", "y"] }],
    ['{"a": {"b": null}}', { a: { b: null } }],
    ["web1: 10.0.0.1:80", { web1: "10.0.0.1:80" }],
    ["on: no", { on: "no" }],
    ["", null],
  ])("%j", (text, value) => expect(parseYaml(text, "f.yaml")).toEqual(value));

  test.each([
    ["a: 1\na: 2", /^f\.yaml:2:1: Map keys must be unique/],
    ["a: [1", /^f\.yaml:1:\d+: /],
    ["a: *none", /^f\.yaml:1:1: cannot be resolved/],
    ["a: b: c", /^f\.yaml:1:4: /],
  ])("%j is an error with its place, in one line", (text, reason) => {
    expect(() => parseYaml(text, "f.yaml")).toThrow(reason);
    expect(() => parseYaml(text, "f.yaml")).toThrow(/^[^\n]*$/);
  });

  test("a small text does not become a large value", () => {
    const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
    for (let n = 1; n < 10; n++)
      lines.push(`a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join()}]`);
    expect(() => parseYaml(lines.join("\n"), "f.yaml")).toThrow(/^f\.yaml:1:1/);
    expect(() => yamlEntries(lines.join("\n"), "f.yaml")).toThrow(/^f\.yaml:\d+:1/);
  });

  test.each([
    ["aliases without number", `a: &a 1\n${Array.from({ length: 5000 }, (_, n) => `k${n}: *a`).join("\n")}`],
    ["aliases of a long list", `a: &a [${"1,".repeat(60_000)}]\nc: [${"*a,".repeat(99)}]`],
    ["a deep one", `a: ${"[".repeat(20_000)}`],
    ["a deep one that is closed", `a: ${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    ["8 MB of signs", `a: [${"1,".repeat(4_000_000)}]`],
    ["wrong lines", "a: b: c\n".repeat(10_000)],
    [
      "a key twice among thousands",
      `${Array.from({ length: 16_000 }, (_, n) => `k${n}: x\n`).join("")}k7: y`,
    ],
  ])("%s: refused in one short line, and soon", (_, text) => {
    for (const read of [parseYaml, yamlEntries]) {
      const started = process.cpuUsage();
      expect(() => read(text, "f.yaml")).toThrow(/^f\.yaml:\d+:\d+: [^\n]{5,100}$/);
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
    }
  });

  test.each(["1: a\n'1': b", "7: a\n007: b", "a: {x: 1, x: 2}", "a: [{x: 1, 'x': 2}]"])(
    "%j: a key twice",
    (text) => {
      expect(() => yamlEntries(text, "f.yaml")).toThrow(/^f\.yaml:\d+:\d+: Map keys must be unique$/);
    },
  );

  test("a key cannot reach the prototype", () => {
    const value = parseYaml("__proto__: { polluted: 1 }", "f.yaml");
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

test("yamlEntries keeps order, lines, and keys that look like something else", () => {
  expect(yamlEntries("# first\nb: 1\n\n'a/x':\n  y: 2\n007: z\nnull: ~\n", "f.yaml")).toEqual([
    { key: "b", value: 1, line: 2 },
    { key: "a/x", value: { y: 2 }, line: 4 },
    { key: "007", value: "z", line: 6 },
    { key: "null", value: null, line: 7 },
  ]);
});

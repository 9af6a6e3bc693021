import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";

const aliases = (depth: number): string => {
  const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let n = 1; n < depth; n++)
    lines.push(
      `a${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join()}]`,
    );
  return lines.join("\n");
};

/** A rollcall.yaml, and what is said of it. */
const TEXTS: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ["a bomb of aliases", aliases(12), /^r\.yaml:1:1: cannot be resolved/],
  ["a key twice", "docker: off\nnetwork: a\ndocker: on\n", /^r\.yaml:3:1: Map keys must be unique$/],
  [
    "wrong types",
    "docker: {a: 1}\nnetwork:\nstart-timeout: [[1]]\nwatch: true\n",
    /docker: not a plain value\n.*network: it has no value\n.*start-timeout: not a plain value\n.*watch: /s,
  ],
  ["a list", "- a\n- b\n", /^r\.yaml: not a mapping of options$/],
  ["a deep one", "[".repeat(20_000), /^r\.yaml:1:\d+: nested too deeply$/],
  ["a long value", `docker: ${"x".repeat(200_000)}`, /docker: "x+…" is none of auto, on, off$/],
  ["a long name", `${"x".repeat(900)}y: 1`, /^r\.yaml: x+y: no such option$/],
  ["20,000 names", Array.from({ length: 20_000 }, (_, n) => `o${n}: 1`).join("\n"), /r\.yaml: and so on$/],
  [
    "control characters",
    '"\\u001b[2Jx": 1\n"a\\nb": 2\n"\\u202ec": 3\ndocker: "\\u001b[2J"\n',
    /^r\.yaml: \\u001b\[2Jx: no such option.*\n.*a\\u000ab.*\n.*\\u202ec.*\n.*docker: /,
  ],
];

test.each(TEXTS)("a rollcall.yaml with %s: a few short lines say what is wrong, soon", (_, text, reason) => {
  const started = process.cpuUsage();
  const sources = { flags: new Map([["config", "r.yaml"]]), env: {}, readFile: () => text };
  const { problems } = readConfig(sources);
  expect(problems.join("\n")).toMatch(reason);
  expect(problems.length).toBeLessThan(60);
  for (const problem of problems) {
    expect(problem.length).toBeLessThanOrEqual(1000);
    expect(problem).not.toMatch(/\p{Cc}|\u202e/u);
  }
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
});

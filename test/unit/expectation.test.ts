import { describe, expect, it } from "vitest";
import type { RunningServer } from "../../src/core/drift.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { expectationOf, mismatch } from "../../src/haproxy/expectation.ts";

const STAMP = { revision: "0123456789abcdef", digest: "fedcba9876543210" };
const text = (...lines: readonly string[]): string =>
  `backend b\n${lines.map((line) => `    ${line}\n`).join("")}`;
const running = (
  servers: readonly [string, string, number][],
  stamp: { revision: string | null; digest: string | null } = STAMP,
) => ({
  info: { version: "3.0", pid: 7, uptimeSec: 1, stopping: false, stamp },
  servers: servers.map(([key, address, port]): RunningServer => {
    const [backend = "", name = ""] = key.split("/");
    return { backend, name, address, port, weight: 1, isMaint: false, isDraining: false, isChecked: true };
  }),
});
const compare = (config: string, ...rest: Parameters<typeof running>) =>
  mismatch(expectationOf({ text: config, sections: readConfig(config), ...STAMP }), running(...rest))?.what ??
  null;

describe("mismatch", () => {
  it("is none for the same servers, however their addresses are written", () => {
    const config = text(
      "server a 10.0.0.1:80",
      "server b [FD00:0::5]:81",
      "server c [::ffff:10.0.0.5]:82",
      "server d app:83",
    );
    const same: [string, string, number][] = [
      ["b/a", "10.0.0.1", 80],
      ["b/b", "fd00::5", 81],
      ["b/c", "::ffff:10.0.0.5", 82],
      ["b/d", "-", 83],
    ];
    expect(compare(config, same)).toBeNull();
  });

  it.each([
    [[], "it lacks server b/a"],
    [[["b/a", "10.0.0.2", 80]], "server b/a is 10.0.0.2 80, not 10.0.0.1 80"],
    [[["b/a", "10.0.0.1", 81]], "server b/a is 10.0.0.1 81, not 10.0.0.1 80"],
    [
      [
        ["b/a", "10.0.0.1", 80],
        ["b/x", "10.0.0.1", 80],
      ],
      "it has server b/x, which is not wanted",
    ],
  ] as const)("names the first one: %j", (servers, wanted) => {
    expect(compare(text("server a 10.0.0.1:80"), servers as never)).toBe(wanted);
  });

  it("is a difference when a worker runs another text, though its servers are the same", () => {
    const other = { ...STAMP, digest: "0000000000000000" };
    expect(compare(text("server a 10.0.0.1:80"), [["b/a", "10.0.0.1", 80]], other)).toContain("wanted is");
  });

  it("leaves out what only HAProxy knows", () => {
    expect(compare(text("server-template s 1-3 app:80"), [["b/s1", "10.0.0.1", 80]])).toBeNull();
    expect(compare(text(".if defined(X)", "server a 10.0.0.1:80", ".endif"), [])).toBeNull();
    expect(compare(text('server "${NAME}" 10.0.0.1:80'), [["b/x", "10.0.0.1", 80]])).toBeNull();
    expect(
      compare(text("server a 10.0.0.1:80"), [
        ["b/a", "10.0.0.1", 80],
        ["other/x", "10.0.0.9", 80],
      ]),
    ).toBeNull();
  });
});

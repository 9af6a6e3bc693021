import { describe, expect, it } from "vitest";
import * as requirements from "../../src/core/requirements.ts";
import { readStamp } from "../../src/core/stamp.ts";

const problems = (text: string, limits: requirements.Limits): readonly string[] =>
  requirements.problems(readStamp(text), limits);

const GOOD =
  "global\n    maxconn 100\nfrontend main\n    bind *:80\nbackend web\n    server a 10.0.0.1:80 check\n";

describe("problems", () => {
  it("finds none in a good text", () => {
    expect(problems(GOOD, { openFiles: 1000, socketPath: null })).toEqual([]);
  });

  it.each([
    ["", "it is empty"],
    ["# only a comment\n", "it is empty"],
    ["global\n    maxconn 100\n", "listen nowhere"],
    ["frontend main\n    mode http\n", "listen nowhere"],
    [GOOD.trimEnd(), "does not end with a newline"],
    [
      `${GOOD}    server b 10.0.0.2:80\n    server a 10.0.0.3:80\n`,
      "server web/a stands twice, in lines 6 and 8",
    ],
  ])("refuses %j", (text, wanted) => {
    expect(problems(text, { openFiles: null, socketPath: null }).join()).toContain(wanted);
  });

  it("accepts the same server name in two backends", () => {
    expect(
      problems(`${GOOD}backend api\n    server a 10.0.0.1:80\n`, { openFiles: null, socketPath: null }),
    ).toEqual([]);
  });

  it("counts descriptors before HAProxy fails for want of them", () => {
    expect(problems(GOOD, { openFiles: 200, socketPath: null }).join()).toContain("about 242 open files");
    expect(problems(GOOD, { openFiles: 242, socketPath: null })).toEqual([]);
    expect(problems(GOOD.replace("maxconn 100", ""), { openFiles: 10, socketPath: null })).toEqual([]);
  });

  it("wants the socket over which we reach HAProxy, unless it cannot be told", () => {
    const limits = { openFiles: null, socketPath: "/run/h.sock" };
    const withSocket = (line: string): string => GOOD.replace("    maxconn 100\n", `    ${line}\n`);
    expect(problems(GOOD, limits).join()).toContain('no "stats socket /run/h.sock"');
    expect(problems(withSocket("stats socket /run/other.sock"), limits)).toHaveLength(1);
    for (const line of [
      "stats socket /run/h.sock level admin",
      "stats socket unix@/run/h.sock",
      'stats socket "$S"',
    ]) {
      expect(problems(withSocket(line), limits)).toEqual([]);
    }
    expect(problems(withSocket("unix-bind prefix /chroot"), limits)).toEqual([]);
  });

  it("lets variants of a server stand in conditional blocks", () => {
    const variants =
      "    .if defined(X)\n    server b 10.0.0.2:80\n    .else\n    server b 10.0.0.3:80\n    .endif\n";
    expect(problems(GOOD + variants, { openFiles: null, socketPath: null })).toEqual([]);
  });
});

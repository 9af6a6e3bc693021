import { describe, expect, it } from "vitest";
import { problems } from "../../src/core/requirements.ts";

const GOOD =
  "global\n    maxconn 100\nfrontend main\n    bind *:80\nbackend web\n    server a 10.0.0.1:80 check\n";

describe("problems", () => {
  it("finds none in a good text", () => {
    expect(problems(GOOD, { openFiles: 1000 })).toEqual([]);
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
    expect(problems(text, { openFiles: null }).join()).toContain(wanted);
  });

  it("accepts the same server name in two backends", () => {
    expect(problems(`${GOOD}backend api\n    server a 10.0.0.1:80\n`, { openFiles: null })).toEqual([]);
  });

  it("counts descriptors before HAProxy fails for want of them", () => {
    expect(problems(GOOD, { openFiles: 200 }).join()).toContain("about 242 open files");
    expect(problems(GOOD, { openFiles: 242 })).toEqual([]);
    expect(problems(GOOD.replace("maxconn 100", ""), { openFiles: 10 })).toEqual([]);
  });
});

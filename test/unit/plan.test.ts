import { describe, expect, it } from "vitest";
import { plan } from "../../src/core/plan.ts";

const BASE = `global
    maxconn 10
frontend main
    bind *:80
backend web
    server a 10.0.0.1:80
    server b 10.0.0.2:80
`;

const reasons = (applied: string | null, candidate: string): string[] => {
  const found = plan({ applied, candidate });
  return found.kind === "noop"
    ? []
    : found.reasons.map(({ section, line, what }) => `${section}:${line} ${what}`);
};

describe("plan", () => {
  it("is a noop for the same text", () => {
    expect(plan({ applied: BASE, candidate: BASE })).toEqual({ kind: "noop" });
  });

  it.each([
    ["nothing known", null, BASE, [":0 what HAProxy runs is not known"]],
    [
      "servers",
      BASE,
      BASE.replace("    server b 10.0.0.2:80\n", "    server b 10.0.0.3:80\n    server c 10.0.0.4:80\n"),
      ["backend web:6 servers: +c ~b"],
    ],
    ["a server gone", BASE, BASE.replace("    server a 10.0.0.1:80\n", ""), ["backend web:6 servers: -a"]],
    ["global", BASE, BASE.replace("maxconn 10", "maxconn 20"), ["global:2 changed: maxconn"]],
    ["a line gone", BASE, BASE.replace("    maxconn 10\n", ""), ["global:1 lines are gone"]],
    ["a new section", BASE, `${BASE}backend api\n`, ["backend api:8 is new"]],
    ["a section gone", `${BASE}backend api\n`, BASE, ["backend api:0 is gone"]],
    ["a comment", BASE, `# hello\n${BASE}`, [":0 comments, spaces or order changed"]],
    [
      "a server line of peers",
      `${BASE}peers p\n  server x 10.0.0.1:1\n`,
      `${BASE}peers p\n  server y 10.0.0.1:1\n`,
      ["peers p:9 changed: server"],
    ],
  ])("says why it reloads: %s", (_, applied, candidate, wanted) => {
    expect(reasons(applied, candidate)).toEqual(wanted);
  });

  it("names no more than ten servers", () => {
    const many = Array.from({ length: 300 }, (_, n) => `    server s${n} 10.0.1.1:${n + 1}\n`).join("");
    expect(reasons(BASE, BASE + many)[0]).toMatch(/^backend web:6 servers: (\+s\d+ ?){10} and 290 more$/);
  });
});

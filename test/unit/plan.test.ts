import { describe, expect, it } from "vitest";
import { abilitiesOf } from "../../src/core/abilities.ts";
import { commandsOf } from "../../src/core/operation.ts";
import { plan, type PlanInput } from "../../src/core/plan.ts";
import { readStamp } from "../../src/core/stamp.ts";

const BASE = `global
    maxconn 10
frontend main
    bind *:80
backend web
    server a 10.0.0.1:80
    server b 10.0.0.2:80
`;
const A = "    server a 10.0.0.1:80\n";
const B = "    server b 10.0.0.2:80\n";

type Given = Partial<Pick<PlanInput, "leaving" | "admitChecked">> & { version?: string | null };

const planOf = (applied: string | null, candidate: string, given: Given = {}) => {
  const { version = "3.2.26", ...rest } = given;
  return plan({
    applied: applied === null ? null : readStamp(applied),
    candidate: readStamp(candidate),
    abilities: version === null ? null : abilitiesOf(version),
    leaving: new Map(),
    admitChecked: false,
    ...rest,
  });
};
const reasons = (...rest: Parameters<typeof planOf>): readonly string[] => {
  const found = planOf(...rest);
  if (found.kind !== "reload") return [found.kind];
  return found.reasons.map(({ section, line, what }) => `${section}:${line} ${what}`);
};
const commands = (...rest: Parameters<typeof planOf>): readonly string[] => {
  const found = planOf(...rest);
  return found.kind === "runtime"
    ? found.operations.flatMap(commandsOf)
    : [`${found.kind} ${reasons(...rest).join()}`];
};

describe("plan, where HAProxy must read its file", () => {
  it("is a noop for the same text", () => {
    expect(planOf(BASE, BASE)).toEqual({ kind: "noop" });
  });

  it.each([
    ["nothing known", null, BASE, [":0 what HAProxy runs is not known"]],
    ["global", BASE, BASE.replace("maxconn 10", "maxconn 20"), ["global:2 changed: maxconn"]],
    ["a line gone", BASE, BASE.replace("    maxconn 10\n", ""), ["global:1 lines are gone"]],
    [
      "a section's first line",
      BASE,
      BASE.replace("web", "web from x"),
      ["backend web:5 its first line changed"],
    ],
    ["a new section", BASE, `${BASE}backend api\n`, ["backend api:8 is new"]],
    ["a section gone", `${BASE}backend api\n`, BASE, ["backend api:0 is gone"]],
    [
      "other sections' order",
      `${BASE}defaults\n mode tcp\nbackend x\n`,
      `${BASE}backend x\ndefaults\n mode tcp\n`,
      [":0 the order of sections changed"],
    ],
    [
      "more than servers",
      BASE,
      BASE.replace("maxconn 10", "maxconn 20").replace(A, ""),
      ["global:2 changed: maxconn", "backend web:6 servers: -a"],
    ],
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
    const found = reasons(BASE, `${BASE}${many}`.replace("maxconn 10", "maxconn 20"));
    expect(found[1]).toMatch(/^backend web:6 servers: (\+s\d+ ?){10} and 290 more$/);
  });

  it.each([
    ["the version of HAProxy is not known", "", "", { version: null }],
    ["balance source forbids dynamic servers", "    balance source\n", "", {}],
    ["balance static-rr forbids dynamic servers", "    balance static-rr\n", "", {}],
    ["balance hdr(host) forbids dynamic servers", "    balance hdr(host)\n", "", {}],
    ["hash-type consistent places servers", "    balance source\n    hash-type consistent\n", "", {}],
    ["balance first takes servers in the order", "    balance first\n", "", {}],
    ["servers in or below a conditional block", "    .if defined(X)\n    .endif\n", "", {}],
    ["servers beside a server-template", "    server-template s 1-3 10.0.0.9:80\n", "", {}],
    ["dynamic-cookie-key", "    dynamic-cookie-key x\n", "", {}],
    ["use-server names c", "    use-server c if TRUE\n", "", {}],
    ['"cookie" cannot be given', "", " cookie c", { version: "2.6.12" }],
    ['"resolvers" cannot be given', "", " resolvers dns", {}],
    ['"nonsense" is not known here', "", " nonsense", {}],
    ['"sni" has a value that only the file can hold', "", " sni 'a b'", {}],
    ["only HAProxy can read its line", "", ' maxconn "$X"', {}],
    ["only HAProxy can read its line", "", ' check "" inter 1', {}],
    ["only HAProxy can read its line", "", " check # é", {}],
    ["weight 3% is not known here", "", " weight 3%", {}],
  ])("does not add a server: %s", (why, line, options, given) => {
    const base = BASE.replace(A, `${line}${A}`);
    const found = reasons(base, `${base}    server c 10.0.0.3:80${options}\n`, given);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });

  it.each([
    ["a host name", "server c app:80", "a host name is resolved only after a reload"],
    ["a socket", "server c /run/x.sock", "a host name is resolved only after a reload"],
    ["an odd name", "server c#d 10.0.0.3:80", "a host name"],
    ["a quoted name", "server 'c d' 10.0.0.3:80", 'the name "c d"'],
  ])("does not add %s", (_, line, why) => {
    expect(reasons(BASE, `${BASE}    ${line}\n`)[0]).toContain(why);
  });

  it("keeps the order of backup servers, which decides which one is used", () => {
    const base = BASE.replace(B, B.replace("\n", " backup\n"));
    const more = `${base}    server c 10.0.0.3:80 backup\n`;
    expect(reasons(base, more)[0]).toContain("the order of backup servers");
    const all = (text: string): string =>
      text.replace("backend web\n", "backend web\n    option allbackups\n");
    expect(planOf(all(base), all(more)).kind).toBe("runtime");
    expect(planOf(more, base).kind).toBe("runtime");
  });

  it.each([
    ["check", `${A.trimEnd()} check\n`, "server a: check changed"],
    ["inter", `${A.trimEnd()} inter 5s\n`, "server a: inter changed"],
    ["backup", `${A.trimEnd()} backup\n`, "server a: backup changed"],
    ["its address becomes a name", "    server a app:80\n", "server a: address changed"],
  ])("reloads for what cannot be set: %s", (_, line, why) => {
    expect(reasons(BASE, BASE.replace(A, line))[0]).toContain(why);
  });

  it("does not move a server on 2.6, which goes on using connections to the old address", () => {
    expect(reasons(BASE, BASE.replace("10.0.0.1:80", "10.0.0.9:80"), { version: "2.6.12" })[0]).toContain(
      "2.6 goes on using connections to the old address",
    );
  });

  it("prefers one reload to thousands of changes", () => {
    const many = Array.from({ length: 3000 }, (_, n) => `    server s${n} 10.0.1.1:${n + 1}\n`).join("");
    expect(reasons(BASE, BASE + many)).toEqual([":0 3000 changes at once: one reload is cheaper"]);
  });
});

describe("plan over the socket", () => {
  it.each([
    ["another comment", `# hello\n${BASE}`, []],
    ["another order", BASE.replace(A, "") + A, []],
    [
      "a new server",
      `${BASE}    server c [fd00::3]:80 check inter 2000 weight 7\n`,
      [
        "add server web/c [fd00::3]:80 check inter 2000 weight 7",
        "enable health web/c",
        "enable server web/c",
      ],
    ],
    [
      "one without a check",
      `${BASE}    server c 10.0.0.3:80\n`,
      ["add server web/c 10.0.0.3:80", "enable server web/c"],
    ],
    ["one that is disabled", `${BASE}    server c 10.0.0.3:80 disabled\n`, ["add server web/c 10.0.0.3:80"]],
    ["a server less", BASE.replace(A, ""), ["set server web/a state maint", "del server web/a"]],
    ["another weight", BASE.replace("1:80", "1:80 weight 9"), ["set server web/a weight 9"]],
    ["another maxconn", BASE.replace("1:80", "1:80 maxconn 9"), ["set maxconn server web/a 9"]],
    ["disabled", BASE.replace("1:80", "1:80 disabled"), ["set server web/a state maint"]],
    ["another port", BASE.replace("1:80", "1:81"), ["set server web/a addr 10.0.0.1 port 81"]],
    [
      "first what adds, last what removes",
      `${BASE.replace(A, "").replace("2:80", "2:80 weight 0")}    server c 10.0.0.3:80\n`,
      [
        "add server web/c 10.0.0.3:80",
        "enable server web/c",
        "set server web/b weight 0",
        "set server web/a state maint",
        "del server web/a",
      ],
    ],
  ])("says what to do: %s", (_, candidate, wanted) => {
    expect(commands(BASE, candidate)).toEqual(wanted);
  });

  it("gives a new server what default-server says, which HAProxy applies to servers of the file only", () => {
    const base = `defaults\n  default-server check inter 3s weight 5\n${BASE.replace("backend web", "backend web\n  default-server inter 1s no-check")}`;
    expect(commands(base, `${base}    server c 10.0.0.3:80 check rise 3\n`)[0]).toBe(
      "add server web/c 10.0.0.3:80 inter 1s check rise 3 weight 5",
    );
    expect(commands(base, base.replace("1:80", "1:80 weight 6"))).toEqual(["set server web/a weight 6"]);
    const named = `defaults x\n  default-server weight 8\ndefaults y from x\n${BASE.replace("web", "web from y")}`;
    expect(commands(named, `${named}    server c 10.0.0.3:80\n`)[0]).toBe(
      "add server web/c 10.0.0.3:80 weight 8",
    );
  });

  it("keeps connections on 2.6, and lets a new server wait for its check where that is wanted", () => {
    const more = `${BASE}    server c 10.0.0.3:80 check\n`;
    expect(commands(BASE, more, { version: "2.6.12" })[0]).toContain(" pool-max-conn -1 pool-purge-delay 5s");
    expect(commands(BASE, more, { admitChecked: true })[0]).toContain(" init-state down");
    expect(commands(BASE, more, { admitChecked: true, version: "3.0.1" }).at(-1)).toBe(
      "set server web/c health down",
    );
  });

  it("takes a server back that still has sessions, unless it was another one", () => {
    const more = `${BASE}    server c 10.0.0.3:80 weight 4\n`;
    const was = {
      address: "10.0.0.8",
      port: 80,
      weight: 1,
      maxconn: 0,
      disabled: false,
      checked: false,
      backup: false,
      hasAgent: false,
      rest: new Map(),
    };
    expect(commands(BASE, more, { leaving: new Map([["web/c", was]]) })).toEqual([
      "set server web/c addr 10.0.0.3 port 80",
      "set server web/c weight 4",
      "set server web/c state ready",
    ]);
    const other = { ...was, rest: new Map([["check", null]]) };
    expect(reasons(BASE, more, { leaving: new Map([["web/c", other]]) })[0]).toContain("check changed");
    expect(reasons(BASE, more, { leaving: new Map([["web/c", null]]) })[0]).toContain("still has sessions");
  });
});

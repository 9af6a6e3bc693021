import { describe, expect, test } from "vitest";
import { addServer } from "../../src/core/add-server.ts";
import { backendView } from "../../src/core/backend-view.ts";
import type { OperatorStep } from "../../src/core/operator-step.ts";
import type { Overriding } from "../../src/core/override.ts";
import { overrideServer } from "../../src/core/override-server.ts";
import { ownerText } from "../../src/core/owner.ts";
import { registryView } from "../../src/core/registry-view.ts";
import { removeServer } from "../../src/core/remove-server.ts";
import { restoreServer } from "../../src/core/restore-server.ts";
import type { RegistryView } from "../../src/core/seen-registry.ts";
import { parseServerName } from "../../src/core/server-name.ts";
import { parseServerValue } from "../../src/core/server-value.ts";
import { registryJson } from "../../src/observe/registry-json.ts";
import { registryText } from "../../src/observe/registry-text.ts";

const layout = {
  prefix: "/app/servers/",
  overridesPrefix: "/app/overrides/",
  ownersPrefix: "/app/owners/",
  defaultBackend: "webserver",
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Keys below /app, each with its value, and perhaps its lease. Written in this order, from revision 10 on. */
function view(keys: Record<string, string | [value: string, lease: string]>, given = layout): RegistryView {
  const entries = Object.entries(keys).map(([tail, what], at) => {
    const [value, lease] = typeof what === "string" ? [what, "0"] : what;
    return { key: bytes(`/app/${tail}`), value: bytes(value), modRevision: String(10 + at), lease };
  });
  return registryView(entries, { layout: given, revision: "99" });
}
/** Host b has registered web-3, and web-4, whose owner's record was deleted. */
const HOST_B = {
  "owners/@b": ['{"host":"b","agent":"x","version":"1.2.3"}', "7"],
  "owners/web-3": [ownerText({ host: "b", container: "3f2a12345678" }), "7"],
  "servers/web-3": ["172.17.0.5:80", "7"],
  "servers/web-4": ["172.17.0.6:80 state=drain", "7"],
} satisfies Record<string, [string, string]>;

const id = (text: string) => {
  const parsed = parseServerName(text, layout.defaultBackend);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};
const add = (name: string, value: string, from: RegistryView, replace = false): OperatorStep => {
  const fields = parseServerValue(value);
  if (!fields.ok) throw new Error(fields.reason);
  return addServer({ id: id(name), value, fields: fields.value, replace, view: from });
};
const override = (name: string, change: Partial<Overriding>, from: RegistryView, anyway = false) =>
  overrideServer({ id: id(name), change, anyway, view: from });

/** A step in short: `KEY@10 KEY=VALUE -KEY`, what is expected before what is written; then its notes. */
function short(step: OperatorStep): readonly string[] {
  if (!step.ok) return [step.reason];
  const commits = step.value.commits.map(({ expects, writes }) =>
    [
      ...expects.map(({ key, modRevision }) => `${key}@${modRevision}`),
      ...writes.map((write) => {
        if (write.kind === "delete") return `-${write.key}`;
        expect(write.lease).toBe("0");
        return `${write.key}=${write.value}`;
      }),
    ]
      .join(" ")
      .replaceAll("/app/", ""),
  );
  return [...commits, ...step.value.notes];
}

const BELONGS =
  'web-3 belongs to host b\'s agent (container 3f2a12345678); use "rollcall drain web-3", or stop the container';

describe("add", () => {
  test("writes a key on condition that it is not there", () => {
    expect(short(add("web1", "10.0.0.5:80 weight=5", view({})))).toEqual([
      "servers/web1@0 servers/web1=10.0.0.5:80 weight=5",
    ]);
    expect(short(add("api/a", "10.0.0.5:80", view({})))).toEqual([
      "servers/api/a@0 servers/api/a=10.0.0.5:80",
    ]);
    // The default backend may be named as well.
    expect(short(add("webserver/web1", "10.0.0.5:80", view({})))).toEqual([
      "servers/web1@0 servers/web1=10.0.0.5:80",
    ]);
  });

  test("leaves what is there alone, unless it is an operator's and is to be replaced", () => {
    const there = view({ "servers/webserver/web1": "10.0.0.1:80" });
    expect(short(add("web1", "10.0.0.5:80", there))).toEqual([
      'web1 is there already, as "10.0.0.1:80"; --replace writes over it',
    ]);
    expect(short(add("web1", "10.0.0.5:80", there, true))).toEqual([
      "servers/webserver/web1@10 servers/webserver/web1=10.0.0.5:80",
    ]);
    const twice = view({ "servers/webserver/web1": "nonsense", "servers/web1": "10.0.0.1:80" });
    expect(short(add("web1", "10.0.0.5:80", twice, true))).toEqual([
      "servers/web1@11 servers/webserver/web1@10 servers/web1=10.0.0.5:80 -servers/webserver/web1",
    ]);
  });

  test("never touches an agent's key, but one that was taken over or belongs to another program", () => {
    expect(short(add("web-3", "10.0.0.5:80", view(HOST_B), true))).toEqual([BELONGS]);
    expect(short(add("web-4", "10.0.0.5:80", view(HOST_B), true))[0]).toMatch(
      /^web-4 belongs to host b's agent; use/,
    );
    const taken = view({ ...HOST_B, "servers/web-3": "10.0.0.9:80" });
    expect(short(add("web-3", "10.0.0.5:80", taken, true))).toEqual([
      "servers/web-3@12 servers/web-3=10.0.0.5:80",
    ]);
    const program = view({ "servers/x": ["10.0.0.9:80", "8"], "owners/x": [HOST_B["owners/web-3"][0], "7"] });
    expect(short(add("x", "10.0.0.5:80", program, true))).toEqual([
      "servers/x@10 servers/x=10.0.0.5:80",
      "its key had a lease: the program that wrote it may write it again",
    ]);
  });

  test("says what may be a mistake", () => {
    const there = view({
      "servers/api/a": "10.0.0.5:80",
      "overrides/api/b": "drain",
      "overrides/b": "maint",
    });
    expect(short(add("api/b", "10.0.0.5:80", there)).slice(1)).toEqual([
      'it has the override drain; "rollcall ready api/b" removes it',
      "api/a has the same address",
    ]);
    expect(short(add("aip/b", "10.0.0.6:80", there)).slice(1)).toEqual([
      'backend aip is new; if you meant api, "rollcall rm aip/b"',
    ]);
  });
});

describe("rm", () => {
  const rm = (text: string, from: RegistryView) => short(removeServer({ text, view: from }));

  test("deletes an operator's key as it was seen, and after it the override", () => {
    expect(rm("web1", view({ "servers/web1": "10.0.0.1:80" }))).toEqual(["servers/web1@10 -servers/web1"]);
    const both = view({
      "servers/web1": "nonsense",
      "overrides/web1": "drain",
      "overrides/webserver/web1": "odd",
    });
    expect(rm("webserver/web1", both)).toEqual([
      "servers/web1@10 -servers/web1",
      "overrides/web1@11 overrides/webserver/web1@12 -overrides/web1 -overrides/webserver/web1",
    ]);
  });

  test("deletes a key whose name is refused", () => {
    expect(rm("_web/a/b", view({ "servers/_web/a/b": "10.0.0.1:80" }))).toEqual([
      "servers/_web/a/b@10 -servers/_web/a/b",
    ]);
    expect(rm("_web", view({}))[0]).toMatch(/^server name "_web" is not allowed/);
  });

  test("refuses an agent's server, and one that is not there", () => {
    expect(rm("web-3", view(HOST_B))).toEqual([BELONGS]);
    expect(rm("wbe-3", view(HOST_B))).toEqual(["no server wbe-3 in etcd; did you mean web-3?"]);
    expect(rm("web9", view({ "overrides/web9": "drain weight=5" }))).toEqual([
      'no server web9 in etcd (only the override drain weight=5, which "rollcall ready web9" removes); "rollcall ls" shows what there is',
    ]);
  });
});

describe("drain, maint and weight", () => {
  const two = { "servers/web1": "10.0.0.1:80", "servers/web2": "10.0.0.2:80" };

  test("write an override on condition of what it was", () => {
    expect(short(override("web1", { state: "drain" }, view(two)))).toEqual([
      "overrides/web1@0 overrides/web1=drain",
    ]);
    expect(short(override("web-3", { weight: 0 }, view(HOST_B)))).toEqual([
      "overrides/web-3@0 overrides/web-3=weight=0",
    ]);
    const odd = view({ ...two, "overrides/web1": "drian" });
    expect(short(override("web1", { state: "maint" }, odd))).toEqual([
      "overrides/web1@12 overrides/web1=maint",
    ]);
  });

  test("a weight never undoes a drain, nor a drain a weight; two keys become one", () => {
    const drained = view({ ...two, "overrides/webserver/web1": "drain" });
    expect(short(override("web1", { weight: 5 }, drained))).toEqual([
      "overrides/web1@0 overrides/webserver/web1@12 overrides/web1=drain weight=5 -overrides/webserver/web1",
      'its override drain stays; "rollcall ready web1" removes all of it',
    ]);
    const light = view({ ...two, "overrides/web1": "weight=5" });
    expect(short(override("web1", { state: "maint" }, light))).toEqual([
      "overrides/web1@12 overrides/web1=maint weight=5",
      'its override weight=5 stays; "rollcall ready web1" removes all of it',
    ]);
    expect(
      short(override("web1", { state: "drain" }, view({ ...two, "overrides/web1": " drain\n" }))),
    ).toEqual(["web1 has the override drain already"]);
  });

  test("a name that is not in etcd is written with a note, and refused when it looks like a slip", () => {
    expect(short(override("ping-app-2", { state: "drain" }, view(two)))).toEqual([
      "overrides/ping-app-2@0 overrides/ping-app-2=drain",
      "etcd has no server ping-app-2: the override holds for one that a load balancer finds over a Docker socket or in its static file",
    ]);
    const slip = "For a container that only a load balancer sees, or a server of a static file: --anyway";
    expect(short(override("wbe1", { state: "drain" }, view(two)))).toEqual([
      `no server wbe1 in etcd; did you mean web1? ${slip}`,
    ]);
    const elsewhere = view({ ...two, "servers/api/a1": "10.0.0.3:80" });
    expect(short(override("a1", { state: "drain" }, elsewhere))).toEqual([
      `no server a1 in etcd; did you mean api/a1? ${slip}`,
    ]);
    expect(short(override("a1", { state: "drain" }, elsewhere, true))[0]).toBe(
      "overrides/a1@0 overrides/a1=drain",
    );
  });

  test("say when nobody is left, or when the server is not served anyway", () => {
    const last = view({ ...two, "overrides/web2": "maint", "servers/api/a": "10.0.0.3:80" });
    expect(short(override("web1", { state: "drain" }, last)).slice(1)).toEqual([
      "no other server of backend webserver in etcd is ready",
    ]);
    expect(short(override("web1", { weight: 3 }, last)).slice(1)).toEqual([]);
    expect(short(override("web1", { weight: 3 }, view({ "servers/web1": "10.0.0.1" })))[1]).toMatch(
      /^web1 is refused and not served: "10\.0\.0\.1" is not HOST:PORT/,
    );
  });
});

describe("ready", () => {
  const ready = (name: string, from: RegistryView) => short(restoreServer({ id: id(name), view: from }));

  test("deletes all of the override, and says what it was", () => {
    const there = view({ "servers/web1": "10.0.0.1:80", "overrides/web1": "drain weight=5" });
    expect(ready("web1", there)).toEqual([
      "overrides/web1@11 -overrides/web1",
      "its override was drain weight=5",
    ]);
    expect(ready("gone", view({ "overrides/gone": "odd", "overrides/webserver/gone": "maint" }))).toEqual([
      "overrides/gone@10 overrides/webserver/gone@11 -overrides/gone -overrides/webserver/gone",
      "its override was maint",
      "etcd has no server gone",
    ]);
  });

  test("says when the server's own value keeps it from being ready", () => {
    const own = { "servers/web1": "10.0.0.1:80 state=maint" };
    const mend = 'its own value says state=maint; "rollcall add web1 HOST:PORT --replace" writes it anew';
    expect(ready("web1", view({ ...own, "overrides/web1": "drain" })).at(-1)).toBe(mend);
    expect(ready("web1", view(own))).toEqual([`web1 has no override; ${mend}`]);
    expect(ready("web-4", view(HOST_B))).toEqual([
      "web-4 has no override; its own value says state=drain: host b's agent takes it out",
    ]);
  });

  test("without an override", () => {
    expect(ready("web-3", view(HOST_B))).toEqual(["web-3 has no override, and is ready"]);
    expect(ready("web-33", view(HOST_B))).toEqual([
      "no server web-33 in etcd (and no override); did you mean web-3?",
    ]);
  });
});

describe("ls", () => {
  const everything = view({
    ...HOST_B,
    "servers/web1": '{"address":"10.0.0.1:80",\n"meta":{"a":"\u202E"}}',
    "servers/api/a1": "10.0.0.1:80 weight=50",
    "servers/api/a2": ["10.0.0.2:80", "8"],
    "overrides/api/a1": "drain",
    "overrides/web-3": "weight=7",
    "overrides/elsewhere": "maint",
    "overrides/web-4": "\u009B31mdrian",
  });

  test("shows servers, what is refused, idle overrides and hosts, and nothing that steers a terminal", () => {
    expect(registryText(everything)).toBe(
      `SERVER  VALUE                      STATE                       REGISTERED BY
api/a1  10.0.0.1:80 weight=50      drain (override)            operator
api/a2  10.0.0.2:80                ready                       another program, on a lease
web-3   172.17.0.5:80              ready, weight 7 (override)  host b, container 3f2a12345678
web-4   172.17.0.6:80 state=drain  drain                       host b

quarantined: refused and not served
  /app/servers/web1: meta a: "\\u202e" is not allowed: up to 256 printable ASCII characters without
    quotes, # \\ $ % ; and backtick
  /app/overrides/web-4: override "\\u009b31mdrian" is none of drain, maint, ready, weight=N

overrides of servers that are not in etcd
  elsewhere  maint

hosts with an agent
  b  2 servers  Rollcall 1.2.3`,
    );
    expect(registryText(view({}))).toBe("no servers under /app/servers/");
  });

  test("a value that is cut or odd stays on its line", () => {
    const long = view({
      "servers/web1": `{"address":\n"10.0.0.1:80","tags":["${"x".repeat(60)}","\\u0041"]}`,
    });
    const [, row = ""] = registryText(long).split("\n");
    expect(row).toMatch(/^web1 {4}\{"address": "10\.0\.0\.1:80","tags":\["x+… {2}ready {2}operator$/);
  });

  test("shows one backend", () => {
    const api = backendView(everything, "api");
    expect(api).toMatchObject({ ok: true, value: { servers: [{}, {}], overrides: [{}] } });
    expect(backendView(everything, "ap")).toEqual({
      ok: false,
      reason: "no server of backend ap in etcd; did you mean api?",
    });
    expect(backendView(view({}), "webserver").ok).toBe(true);
    expect(backendView(view({ "servers/api/a/b": "x" }), "api")).toMatchObject({ value: { servers: [{}] } });
  });

  test("as JSON", () => {
    expect(registryJson(everything)).toMatchObject({
      revision: "99",
      servers: [
        {
          backend: "api",
          name: "a1",
          key: "/app/servers/api/a1",
          value: "10.0.0.1:80 weight=50",
          address: "10.0.0.1:80",
          state: "drain",
          weight: 50,
          own: { state: "ready", weight: 50 },
          override: { state: "drain", weight: null },
          registeredBy: { kind: "operator" },
          revision: "15",
        },
        { name: "a2", registeredBy: { kind: "program" } },
        { name: "web-3", weight: 7, registeredBy: { kind: "host", host: "b", container: "3f2a12345678" } },
        { name: "web-4", registeredBy: { kind: "host", host: "b", container: null } },
      ],
      quarantined: [{ key: "/app/servers/web1" }, { key: "/app/overrides/web-4" }],
      unusedOverrides: [{ backend: "webserver", name: "elsewhere", override: { state: "maint" } }],
      hosts: [{ host: "b", version: "1.2.3" }],
    });
  });

  test("of prefixes inside of one another the longer one counts", () => {
    const nested = { ...layout, prefix: "/app/", overridesPrefix: "/app/o/", ownersPrefix: "/app/w/" };
    const found = view(
      { web1: ["10.0.0.1:80", "7"], "o/web1": "drain", "w/web1": HOST_B["owners/web-3"] },
      nested,
    );
    expect(found.servers).toMatchObject([{ id: { name: "web1" }, by: { kind: "host", host: "b" } }]);
    expect(found.overrides).toHaveLength(1);
  });
});

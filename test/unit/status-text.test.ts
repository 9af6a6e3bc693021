import { describe, expect, it } from "vitest";
import type { HeldJson, PassJson, ServerJson, StatusJson } from "../../src/observe/status-json.ts";
import { statusText } from "../../src/observe/status-text.ts";

const HOW = { url: "http://127.0.0.1:8405", last: 10, everyServer: false };
const at = (secondsAgo: number): string =>
  new Date(Date.UTC(2026, 7, 22, 10, 0, 0) - secondsAgo * 1000).toISOString();

function server(name: string, given: Partial<ServerJson> = {}): ServerJson {
  const check = { path: null, intervalMs: null, rise: null, fall: null };
  const plain = { address: "10.0.0.5:80", weight: null, state: "ready", backup: false, check } as const;
  return { name, ...plain, source: "etcd", origin: `/app/servers/${name}`, ...given };
}

function pass(number: number, secondsAgo: number, given: Partial<PassJson>): PassJson {
  return {
    pass: number,
    at: at(secondsAgo),
    kind: "applied",
    way: null,
    stage: null,
    reason: null,
    reasons: [],
    operations: [],
    revision: null,
    servers: null,
    durationMs: 0.8,
    timings: {},
    ...given,
  };
}

const CHANGES: readonly PassJson[] = [
  pass(19, 4, {
    way: "runtime",
    operations: ["add webserver/web4", "weight webserver/web1 50"],
    durationMs: 2.3,
    timings: { merge: 0.1, render: 0.4, runtime: 1.5 },
  }),
  pass(17, 60, {
    way: "reload",
    reasons: [
      { section: "backend api", line: 47, what: "is new" },
      { section: "", line: 0, what: "comments, spaces or order changed" },
    ],
    durationMs: 149.7,
    timings: { merge: 0.1, render: 0.4, check: 18, commit: 0.6, reload: 130 },
  }),
  pass(9, 600, {
    kind: "refused",
    stage: "check",
    reason: `haproxy -c says:\n[ALERT] (1) : ${"parsing [haproxy.cfg:12]: unknown keyword ".repeat(4)}`,
    durationMs: 20,
    timings: { merge: 0.1, render: 0.4, check: 19.5 },
  }),
  pass(1, 3600, { kind: "waiting", reason: "etcd has not answered yet" }),
];

const STATUS: StatusJson = {
  version: "1.2.3",
  now: at(0),
  startedAt: at(3600),
  ready: true,
  reasons: [],
  notes: ["Entries are quarantined and not served: etcd 1."],
  sources: [
    {
      name: "etcd",
      state: "down",
      since: at(12),
      error: "etcd http://127.0.0.1:2379: connection refused",
      revision: "4711",
      publishedAt: at(60),
      ageSeconds: 60,
      servers: 3,
      quarantined: 1,
      waiting: 1,
      recalled: false,
    },
    {
      name: "docker",
      state: "absent",
      since: at(3600),
      error: null,
      revision: null,
      publishedAt: null,
      ageSeconds: null,
      servers: 0,
      quarantined: 0,
      waiting: 0,
      recalled: false,
    },
  ],
  rolledBack: null,
  applied: { revision: "d1c31343661b1b2b", digest: null, pid: 4242, since: at(4), ageSeconds: 4 },
  haproxy: { up: true, pid: 4242, version: "3.0.11-1", since: at(3600), workers: null },
  backends: [
    { name: "api", servers: [server("api1", { weight: 50 })] },
    {
      name: "webserver",
      servers: [
        server("web1", { state: "drain" }),
        server("web-number-2", { address: "[fd00::5]:8080", backup: true }),
      ],
    },
  ],
  routes: [],
  quarantined: [{ source: "etcd", origin: "/app/servers/bad", revision: "3", reason: 'port "0" is too low' }],
  waiting: [
    {
      source: "etcd",
      origin: "/app/servers/api/api2",
      revision: "3",
      reason: "not healthy yet",
      backend: "api",
      name: "api2",
    },
  ],
  warnings: [],
  held: [],
  lastPass: pass(21, 10, { kind: "unchanged" }),
  changes: CHANGES,
};

const text = (given: Partial<StatusJson>, how: Partial<typeof HOW> = {}): string =>
  statusText({ ...STATUS, ...given }, { ...HOW, ...how });

const SHOWN = `
ready
  note: Entries are quarantined and not served: etcd 1.

Rollcall   1.2.3 at http://127.0.0.1:8405, up for 60 min
HAProxy    3.0.11-1, worker 4242, up for 60 min
applied    revision d1c31343661b1b2b, 4 s ago
last pass  #21, 10 s ago, unchanged

sources
  etcd    down for 12 s  3 servers, 1 quarantined, 1 waiting, published 60 s ago
      etcd http://127.0.0.1:2379: connection refused
  docker  absent

backends, as wanted
  api        1 server
    api1          10.0.0.5:80     ready  weight 50          etcd /app/servers/api1
  webserver  2 servers, 1 in drain
    web1          10.0.0.5:80     drain                     etcd /app/servers/web1
    web-number-2  [fd00::5]:8080  ready             backup  etcd /app/servers/web-number-2

quarantined: refused and not served
  etcd /app/servers/bad: port "0" is too low

waiting: served once they are ready
  etcd /app/servers/api/api2: not healthy yet

last changes, newest first
  pass        when  how         ms  ms by stage
   #19     4 s ago  runtime    2.3  merge 0.1, render 0.4, runtime 1.5
        add webserver/web4, weight webserver/web1 50
   #17    60 s ago  reload   149.7  merge 0.1, render 0.4, check 18, commit 0.6, reload 130
        because backend api:47 is new
        because comments, spaces or order changed
    #9  10 min ago  refused   20.0  merge 0.1, render 0.4, check 19.5
        at check: haproxy -c says: [ALERT] (1) : parsing [haproxy.cfg:12]: unknown keyword parsing
          [haproxy.cfg:12]: unknown keyword parsing [haproxy.cfg:12]: unknown keyword parsing
          [haproxy.cfg:12]: unknown keyword
    #1  60 min ago  waiting    0.8
        etcd has not answered yet`;

describe("the status for people", () => {
  it("shows all at a glance: aligned, within 100 columns, with ages of the daemon's clock", () => {
    expect(`\n${text({})}`).toBe(SHOWN);
    expect(Math.max(...SHOWN.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("says why it is not ready, and what there is not", () => {
    const shown = text({
      ready: false,
      reasons: ["HAProxy has not answered for 12 s."],
      notes: [],
      applied: null,
      haproxy: { ...STATUS.haproxy, up: false, pid: null, version: null, since: at(12) },
      backends: [],
      lastPass: null,
      changes: [],
    });
    expect(shown).toMatch(/^not ready\n {2}HAProxy has not answered for 12 s\.\n\n/);
    expect(shown).toContain("HAProxy    has not answered for 12 s\napplied    nothing is proven to run\n");
    expect(shown).toContain("last pass  none yet\n");
    expect(shown).toContain("backends, as wanted\n  none\n");
    expect(shown).toMatch(/\nlast changes\n {2}none yet$/);
  });

  it.each([
    [null, "up for 60 min\n"],
    [1, "up for 60 min, 1 worker process\n"],
    [3, "up for 60 min, 3 worker processes (old ones finish their connections)\n"],
  ])("tells the number of worker processes: %s", (workers, end) => {
    expect(text({ haproxy: { ...STATUS.haproxy, workers } })).toContain(
      `HAProxy    3.0.11-1, worker 4242, ${end}`,
    );
  });

  it("leaves out many servers, entries, changes and operations, and says how to see them", () => {
    const names = Array.from({ length: 11 }, (_, index) => `web${index}`);
    const many = {
      backends: [{ name: "webserver", servers: names.map((name) => server(name)) }],
      quarantined: names.map((name) => ({ source: "file", origin: name, revision: "1", reason: "bad" })),
      changes: [pass(4, 1, { way: "runtime", operations: names }), ...CHANGES],
    };
    const shown = text(many, { last: 1 });
    expect(shown).toContain("\n  webserver  11 servers\n  (--servers shows them)\n");
    expect(shown).toContain("\n  file web9: bad\n  and 1 more (--json has them)\n");
    expect(shown).toContain("\nlast changes, newest first (1 of 5, see --last)\n");
    expect(shown).toMatch(/\n {8}web0, .*, web7\n {8}and 3 more \(--json has them\)$/);
    expect(text(many, { everyServer: true })).toContain("\n    web10  10.0.0.5:80  ready  etcd /app/");
  });

  it("shows what is held: since when, why, for how long, and whether HAProxy was heard", () => {
    const held = (name: string, given: Partial<HeldJson>): HeldJson => ({
      backend: "webserver",
      name,
      address: "10.0.0.5:80",
      source: "etcd",
      origin: `/app/servers/${name}`,
      since: at(190),
      until: at(-600),
      why: "lease",
      check: "up",
      ...given,
    });
    const all = [held("web1", {}), held("web20", { why: "store", since: at(1), check: "unknown" })];
    expect(text({ held: all })).toContain(`
held: vanished, served on while HAProxy's check is UP
  webserver/web1   10.0.0.5:80  its lease ended 3 min ago                             for 10 min more
  webserver/web20  10.0.0.5:80  the store lost it 1 s ago, HAProxy was not heard yet  for 10 min more
`);
    const many = Array.from({ length: 12 }, (_, n) => held(`web${n}`, {}));
    expect(text({ held: many })).toContain("for 10 min more\n  and 2 more (--json has them)\n");
  });

  it("lets nothing that came from outside steer the terminal, begin a line or turn text round", () => {
    const evil = "a\u001b[2J\u009b1m\u202eb";
    const shown = text({
      notes: [evil],
      sources: STATUS.sources.map((source) => ({ ...source, error: evil })),
      quarantined: [{ source: "etcd", origin: `/app/${evil}\nready`, revision: "3", reason: evil }],
      backends: [{ name: evil, servers: [server(`${evil}\nready`, { origin: evil })] }],
      changes: [pass(1, 1, { kind: "failed", stage: evil, reason: evil, operations: [evil] })],
    });
    expect(shown).toContain("a\\u001b[2J\\u009b1m\\u202eb");
    expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(shown.split("\n").filter((line) => line.trimStart().startsWith("ready"))).toEqual(["ready"]);
  });
});

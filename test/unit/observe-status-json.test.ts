import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_CHECK } from "../../src/core/server.ts";
import { snapshot } from "../../src/core/snapshot.ts";
import { statusJson } from "../../src/observe/status-json.ts";
import {
  APPLIED,
  healthyStatus,
  heldServer,
  liveSource,
  NOW_MS,
  passRecord,
  statusServer,
} from "../support/status.ts";

const ENTRY = { source: "etcd", id: "/app/servers/bad", revision: "12" };

test("tells sources, servers, entries, routes and passes", () => {
  const picture = snapshot({
    source: "etcd",
    revision: "4711",
    servers: [
      statusServer("web1", { weight: 50, routes: [{ host: "shop.test", path: "/api" }] }),
      statusServer("six", { address: "fd00::5", state: "drain", backup: true, check: false }),
    ],
    quarantined: [{ origin: ENTRY, reason: "port 0" }],
    waiting: [{ origin: ENTRY, reason: "not healthy yet", backend: "api", name: "api1", routes: [] }],
    warnings: [{ origin: ENTRY, reason: "unknown label" }],
  });
  const failed = {
    kind: "failed",
    stage: "confirm",
    reason: "connect ENOENT",
    unreachable: true,
  } as const;
  const status = healthyStatus({
    sources: [
      liveSource(picture, { state: "down", sinceMs: NOW_MS - 12_345, error: "connect ECONNREFUSED" }),
    ],
    held: [heldServer("web1")],
    passes: [passRecord(9, 4000, failed), passRecord(7, 60_000, APPLIED)],
    lastPass: passRecord(11, 1000, failed),
  });

  const json = statusJson(status);

  expect(json).toEqual({
    version: "1.2.3",
    now: "2026-08-22T10:00:00.000Z",
    startedAt: "2026-08-22T09:00:00.000Z",
    ready: true,
    reasons: [],
    notes: [
      "Source etcd has been down for 12 s (connect ECONNREFUSED); its last picture stands, 60 s old, revision 4711.",
      "HAProxy goes on with what it has, confirm has been failing for 4 s: connect ENOENT.",
      "1 server vanished and is held while HAProxy's check sees it up, for 12 min at most: webserver/web1.",
      "Entries are quarantined and not served: etcd 1.",
    ],
    sources: [
      {
        name: "etcd",
        state: "down",
        since: "2026-08-22T09:59:47.655Z",
        error: "connect ECONNREFUSED",
        revision: "4711",
        publishedAt: "2026-08-22T09:59:00.000Z",
        ageSeconds: 60,
        servers: 2,
        quarantined: 1,
        waiting: 1,
        recalled: false,
      },
    ],
    rolledBack: null,
    applied: {
      revision: "8c1f0a",
      digest: "77aa01",
      pid: 4242,
      since: "2026-08-22T09:59:00.000Z",
      ageSeconds: 60,
    },
    haproxy: { up: true, pid: 4242, version: "3.0.11", since: "2026-08-22T09:00:00.000Z", workers: 1 },
    backends: [
      { name: "api", servers: [] },
      {
        name: "webserver",
        servers: [
          {
            name: "six",
            address: "[fd00::5]:80",
            weight: null,
            state: "drain",
            backup: true,
            check: false,
            source: "etcd",
            origin: "/app/servers/six",
          },
          {
            name: "web1",
            address: "10.0.0.5:80",
            weight: 50,
            state: "ready",
            backup: false,
            check: DEFAULT_CHECK,
            source: "etcd",
            origin: "/app/servers/web1",
          },
        ],
      },
    ],
    routes: [{ host: "shop.test", path: "/api", backend: "webserver" }],
    quarantined: [{ source: "etcd", origin: "/app/servers/bad", revision: "12", reason: "port 0" }],
    waiting: [
      {
        source: "etcd",
        origin: "/app/servers/bad",
        revision: "12",
        reason: "not healthy yet",
        backend: "api",
        name: "api1",
      },
    ],
    warnings: [{ source: "etcd", origin: "/app/servers/bad", revision: "12", reason: "unknown label" }],
    held: [
      {
        backend: "webserver",
        name: "web1",
        address: "10.0.0.5:80",
        source: "etcd",
        origin: "/app/servers/web1",
        since: "2026-08-22T09:57:00.000Z",
        until: "2026-08-22T10:12:00.000Z",
        why: "lease",
        check: "up",
      },
    ],
    lastPass: {
      pass: 11,
      at: "2026-08-22T09:59:59.000Z",
      kind: "failed",
      way: null,
      stage: "confirm",
      reason: "connect ENOENT",
      reasons: [],
      operations: [],
      revision: null,
      servers: null,
      durationMs: 100,
      timings: { merge: 0.3, render: 1.5 },
    },
    changes: [
      expect.objectContaining({ pass: 9, kind: "failed", reason: "connect ENOENT" }),
      {
        pass: 7,
        at: "2026-08-22T09:59:00.000Z",
        kind: "applied",
        way: "reload",
        stage: null,
        reason: null,
        reasons: [{ section: "backend webserver", line: 12, what: "servers: +web1" }],
        operations: [],
        revision: "8c1f0a",
        servers: 1,
        durationMs: 100,
        timings: { merge: 0.3, render: 1.5 },
      },
    ],
  });
});

test("has every field before the first pass", () => {
  const json = statusJson(
    healthyStatus({
      sources: [
        liveSource(snapshot({ source: "etcd", revision: "" }), {
          state: "starting",
          snapshot: null,
          publishedAtMs: null,
        }),
      ],
      roster: null,
      applied: null,
      haproxy: { pid: null, version: null, sinceMs: NOW_MS, workers: null },
      passes: [],
      lastPass: null,
    }),
  );
  expect(json).toMatchObject({
    ready: false,
    applied: null,
    backends: [],
    routes: [],
    lastPass: null,
    changes: [],
  });
  expect(json.sources[0]).toMatchObject({ revision: null, publishedAt: null, ageSeconds: null, servers: 0 });
  expect(json.haproxy).toMatchObject({ up: false, pid: null, version: null });
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
});

test("keeps plain keys, meta data and tags to itself", () => {
  const secret = "hunter2";
  const picture = snapshot({
    source: "etcd",
    revision: "1",
    servers: [statusServer("web1", { meta: { secret }, tags: [secret] })],
    keys: new Map([["/app/config/password", secret]]),
  });
  expect(JSON.stringify(statusJson(healthyStatus({ sources: [liveSource(picture)] })))).not.toContain(secret);
});

test("is fast with 10,000 servers", () => {
  const servers = Array.from({ length: 10_000 }, (_, index) =>
    statusServer(`web${index}`, { address: `10.0.${index >> 8}.${index & 255}`, backend: `b${index % 100}` }),
  );
  const status = healthyStatus({
    sources: [liveSource(snapshot({ source: "etcd", revision: "1", servers }))],
  });
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    expect(JSON.stringify(statusJson(status)).length).toBeGreaterThan(1_000_000);
    return performance.now() - start;
  });
  expect(Math.min(...times), `times in ms: ${times.join(" ")}`).toBeLessThan(50);
});

test("docs/reference/http.md shows this shape", () => {
  const text = readFileSync(new URL("../../docs/reference/http.md", import.meta.url), "utf8");
  const shown = JSON.parse(/^```json\n(.*?)^```$/ms.exec(text)?.[1] ?? "{}") as ReturnType<typeof statusJson>;
  const picture = snapshot({
    source: "etcd",
    revision: "1",
    servers: [statusServer("web1")],
    quarantined: [{ origin: ENTRY, reason: "port 0" }],
  });
  const json = statusJson(healthyStatus({ sources: [liveSource(picture)] }));
  const keys = (value: object | null | undefined): readonly string[] => Object.keys(value ?? {}).toSorted();
  expect(keys(shown)).toEqual(keys(json));
  expect(keys(shown.applied)).toEqual(keys(json.applied));
  expect(keys(shown.haproxy)).toEqual(keys(json.haproxy));
  expect(keys(shown.sources[0])).toEqual(keys(json.sources[0]));
  expect(keys(shown.backends[0]?.servers[0])).toEqual(keys(json.backends[0]?.servers[0]));
  expect(keys(shown.quarantined[0])).toEqual(keys(json.quarantined[0]));
  expect(keys(shown.lastPass)).toEqual(keys(json.lastPass));
  expect(keys(shown.changes[0])).toEqual(keys(json.changes[0]));
});

import type { Outcome, PassRecord } from "../../src/core/outcome.ts";
import { buildRoster } from "../../src/core/roster.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { snapshot, type Snapshot } from "../../src/core/snapshot.ts";
import type { HeldServer, SourceState, Status } from "../../src/core/status.ts";

/** The present of `healthyStatus`: 2026-08-22T10:00:00.000Z. */
export const NOW_MS = Date.UTC(2026, 7, 22, 10, 0, 0);

/** A server as etcd would have it. */
export function statusServer(name: string, given: Partial<Server> = {}): Server {
  return {
    ...plainFields("10.0.0.5", 80),
    backend: "webserver",
    name,
    origin: { source: "etcd", id: `/app/servers/${name}`, revision: "4711" },
    suffix: "etcd",
    ...given,
  };
}

/** A source that has been connected for an hour and published a minute ago. */
export function liveSource(picture: Snapshot, given: Partial<SourceState> = {}): SourceState {
  return {
    name: picture.source,
    state: "live",
    sinceMs: NOW_MS - 3_600_000,
    error: null,
    snapshot: picture,
    publishedAtMs: NOW_MS - 60_000,
    isRecalled: false,
    ...given,
  };
}

/** A server that vanished three minutes ago and may be held for twelve more. */
export function heldServer(name: string): HeldServer {
  const times = { sinceMs: NOW_MS - 3 * 60_000, untilMs: NOW_MS + 12 * 60_000 };
  return { server: statusServer(name), why: "lease", isUp: true, ...times };
}

/** The pass with number `pass`, which began `agoMs` before now and took 100 ms. */
export function passRecord(pass: number, agoMs: number, outcome: Outcome): PassRecord {
  return { pass, atMs: NOW_MS - agoMs, durationMs: 100, timings: { merge: 0.25, render: 1.5 }, outcome };
}

export const APPLIED: Outcome = {
  kind: "applied",
  way: "reload",
  reasons: [{ section: "backend webserver", line: 12, what: "servers: +web1" }],
  operations: [],
  revision: "8c1f0a",
  servers: 1,
};

/** Rollcall an hour after its start, one server, all is well; `given` replaces parts of it. */
export function healthyStatus(given: Partial<Status> = {}): Status {
  const sources = given.sources ?? [
    liveSource(snapshot({ source: "etcd", revision: "4711", servers: [statusServer("web1")] })),
  ];
  const pictures = sources.flatMap((source) => (source.snapshot === null ? [] : [source.snapshot]));
  return {
    version: "1.2.3",
    startedAtMs: NOW_MS - 3_600_000,
    nowMs: NOW_MS,
    sources,
    roster: buildRoster(pictures, { defaultBackend: "webserver" }),
    held: [],
    pin: null,
    stateTrouble: null,
    applied: { revision: "8c1f0a", digest: "77aa01", pid: 4242, sinceMs: NOW_MS - 60_000 },
    haproxy: { pid: 4242, version: "3.0.11", sinceMs: NOW_MS - 3_600_000, workers: 1 },
    passes: [passRecord(7, 60_000, APPLIED)],
    lastPass: passRecord(8, 10_000, { kind: "unchanged" }),
    silentMs: 9900,
    ...given,
  };
}

import type { Outcome, PassRecord, StageTimings } from "../core/outcome.ts";
import type { Reason } from "../core/structure.ts";
import type { BackendRoute } from "../core/roster.ts";
import { hostPort, type Check, type Server } from "../core/server.ts";
import type { Refusal, Waiting } from "../core/snapshot.ts";
import type { HeldServer, SourceState, Status } from "../core/status.ts";
import { ageSeconds, isoTime } from "./iso-time.ts";
import { readiness } from "./readiness.ts";

/**
 * What `/api/status` answers. Names are kept from version to version; new ones may come. Each field is always there
 * and null when there is nothing to say. Times are ISO 8601 in UTC, ages are whole seconds, durations milliseconds.
 */
export interface StatusJson {
  readonly version: string;
  /** When this answer was true. */
  readonly now: string;
  readonly startedAt: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly sources: readonly SourceJson[];
  /** The entry of the history that HAProxy was rolled back to. */
  readonly rolledBack: { readonly entry: number; readonly since: string } | null;
  /** What HAProxy is proven to run; null = not known. */
  readonly applied: {
    readonly revision: string | null;
    /** Of the whole text. */
    readonly digest: string | null;
    readonly pid: number;
    readonly since: string;
    readonly ageSeconds: number;
  } | null;
  readonly haproxy: {
    /** Whether a worker answers. */
    readonly up: boolean;
    readonly pid: number | null;
    readonly version: string | null;
    /** Since when it is up, or is not. */
    readonly since: string;
    /** Its worker processes, with those that finish old connections. */
    readonly workers: number | null;
  };
  /** What is wanted, as of the last pass. */
  readonly backends: readonly { readonly name: string; readonly servers: readonly ServerJson[] }[];
  readonly routes: readonly BackendRoute[];
  readonly quarantined: readonly EntryJson[];
  readonly waiting: readonly (EntryJson & { readonly backend: string; readonly name: string })[];
  readonly warnings: readonly EntryJson[];
  /** Servers of the backends that vanished from their source and are served on. */
  readonly held: readonly HeldJson[];
  /** The very last pass, whatever it was. */
  readonly lastPass: PassJson | null;
  /** The latest passes that were not `unchanged`, newest first; of equal retries only the first. */
  readonly changes: readonly PassJson[];
}

export interface SourceJson {
  readonly name: string;
  readonly state: SourceState["state"];
  readonly since: string;
  readonly error: string | null;
  /** Of the last picture, like all that follows. */
  readonly revision: string | null;
  readonly publishedAt: string | null;
  readonly ageSeconds: number | null;
  readonly servers: number;
  readonly quarantined: number;
  readonly waiting: number;
  /** The picture is from the state folder, of a process before this one. */
  readonly recalled: boolean;
}

export interface ServerJson {
  readonly name: string;
  /** `10.0.0.5:80`, `[fd00::5]:80`. */
  readonly address: string;
  readonly weight: number | null;
  readonly state: Server["state"];
  readonly backup: boolean;
  readonly check: Check | false;
  readonly source: string;
  /** The key, the container, the line of the file. */
  readonly origin: string;
}

/** An entry of a source, and what is to be said of it. */
export interface EntryJson {
  readonly source: string;
  readonly origin: string;
  readonly revision: string;
  readonly reason: string;
}

export interface HeldJson {
  readonly backend: string;
  readonly name: string;
  /** `10.0.0.5:80`, `[fd00::5]:80`. */
  readonly address: string;
  readonly source: string;
  readonly origin: string;
  /** When it vanished, and until when it is held at most. */
  readonly since: string;
  readonly until: string;
  readonly why: HeldServer["why"];
  /** What HAProxy's check says; `unknown` until HAProxy was heard. */
  readonly check: "up" | "unknown";
}

export interface PassJson {
  readonly pass: number;
  readonly at: string;
  readonly kind: Outcome["kind"];
  /** How it was applied. */
  readonly way: "runtime" | "reload" | null;
  /** Where it failed. */
  readonly stage: string | null;
  /** Why it failed or waits. */
  readonly reason: string | null;
  /** Why a reload was needed. */
  readonly reasons: readonly Reason[];
  /** What was done over the runtime socket, in words; at most 20. */
  readonly operations: readonly string[];
  readonly revision: string | null;
  readonly servers: number | null;
  readonly durationMs: number;
  readonly timings: StageTimings;
}

/** Only what is public of a status: no plain keys and no meta data, which may hold what is nobody's business. */
export function statusJson(status: Status): StatusJson {
  const { version, nowMs, startedAtMs, applied, haproxy, roster, lastPass, pin } = status;
  return {
    version,
    now: isoTime(nowMs),
    startedAt: isoTime(startedAtMs),
    ...readiness(status),
    sources: status.sources.map((source) => sourceJson(source, nowMs)),
    rolledBack: pin && { entry: pin.entry, since: isoTime(pin.sinceMs) },
    applied: applied && {
      revision: applied.revision,
      digest: applied.digest,
      pid: applied.pid,
      since: isoTime(applied.sinceMs),
      ageSeconds: ageSeconds(applied.sinceMs, nowMs),
    },
    haproxy: {
      up: haproxy.pid !== null,
      pid: haproxy.pid,
      version: haproxy.version,
      since: isoTime(haproxy.sinceMs),
      workers: haproxy.workers,
    },
    backends: (roster?.backends ?? []).map(({ name, servers }) => ({
      name,
      servers: servers.map(serverJson),
    })),
    routes: (roster?.routes ?? []).map(({ host, path, backend }) => ({ host, path, backend })),
    quarantined: (roster?.quarantined ?? []).map(entryJson),
    waiting: (roster?.waiting ?? []).map(waitingJson),
    warnings: (roster?.warnings ?? []).map(entryJson),
    held: status.held.map(heldJson),
    lastPass: lastPass && passJson(lastPass),
    changes: status.passes.map(passJson),
  };
}

function sourceJson(source: SourceState, nowMs: number): SourceJson {
  const { name, state, sinceMs, error, snapshot, publishedAtMs, isRecalled } = source;
  return {
    name,
    state,
    since: isoTime(sinceMs),
    error,
    revision: snapshot?.revision ?? null,
    publishedAt: publishedAtMs === null ? null : isoTime(publishedAtMs),
    ageSeconds: publishedAtMs === null ? null : ageSeconds(publishedAtMs, nowMs),
    servers: snapshot?.servers.length ?? 0,
    quarantined: snapshot?.quarantined.length ?? 0,
    waiting: snapshot?.waiting.length ?? 0,
    recalled: isRecalled,
  };
}

function serverJson(server: Server): ServerJson {
  const { name, weight, state, backup, check, origin } = server;
  const address = hostPort(server);
  return { name, address, weight, state, backup, check, source: origin.source, origin: origin.id };
}

function entryJson({ origin, reason }: Refusal): EntryJson {
  return { source: origin.source, origin: origin.id, revision: origin.revision, reason };
}

function waitingJson(entry: Waiting): StatusJson["waiting"][number] {
  return { ...entryJson(entry), backend: entry.backend, name: entry.name };
}

function heldJson({ server, why, isUp, sinceMs, untilMs }: HeldServer): HeldJson {
  const { backend, name, origin } = server;
  return {
    backend,
    name,
    address: hostPort(server),
    source: origin.source,
    origin: origin.id,
    since: isoTime(sinceMs),
    until: isoTime(untilMs),
    why,
    check: isUp ? "up" : "unknown",
  };
}

function passJson({ pass, atMs, durationMs, timings, outcome }: PassRecord): PassJson {
  return {
    pass,
    at: isoTime(atMs),
    kind: outcome.kind,
    way: "way" in outcome ? outcome.way : null,
    stage: "stage" in outcome ? outcome.stage : null,
    reason: "reason" in outcome ? outcome.reason : null,
    reasons: "reasons" in outcome ? outcome.reasons : [],
    operations: "operations" in outcome ? outcome.operations : [],
    revision: "revision" in outcome ? outcome.revision : null,
    servers: "servers" in outcome ? outcome.servers : null,
    durationMs: tenth(durationMs),
    timings: Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, tenth(ms)])),
  };
}

const tenth = (ms: number): number => Math.round(ms * 10) / 10;

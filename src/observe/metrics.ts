import { type Outcome, type PassRecord, STAGES } from "../core/outcome.ts";
import type { Status } from "../core/status.ts";
import {
  addProcessMetrics,
  Counter,
  Gauge,
  Histogram,
  inSeconds,
  Registry,
  setOrRemove,
} from "./prometheus.ts";
import { readiness } from "./readiness.ts";

/** What Prometheus is told. Gauges are views of the status at the moment of the scrape; passes are counted. */
export interface Metrics {
  /** Counts a pass; to be called once for each, whatever its outcome. */
  onPass(record: PassRecord): void;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
  /** The media type of that text. */
  readonly contentType: string;
}

/** In seconds: a merge takes a millisecond, a check of a big configuration tens of seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const TOTAL = "total";

const OUTCOMES: readonly Outcome["kind"][] = Object.keys({
  unchanged: true,
  waiting: true,
  deferred: true,
  applied: true,
  refused: true,
  failed: true,
} satisfies Record<Outcome["kind"], true>) as Outcome["kind"][];

/** Metrics in a registry of their own: two of them do not meet, and nothing is global. */
export function metrics(options: { status: () => Status }): Metrics {
  const registry = new Registry();
  const setGauges = gauges(registry);
  const passes = passCounters(registry);
  addProcessMetrics(registry);
  return {
    onPass: (record) => {
      passes.count(record);
    },
    text: async () => {
      setGauges(options.status(), passes.failingSinceMs());
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

function gauges(registry: Registry): (status: Status, failingSinceMs: number | null) => void {
  const gauge = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name: `rollcall_${name}`, help, labelNames, registers: [registry] });
  const info = gauge("build_info", "Always 1; the label is Rollcall's version.", "version");
  const ready = gauge("ready", "Whether /readyz says ready: 1 or 0.");
  const up = gauge("haproxy_up", "Whether a worker of HAProxy answers: 1 or 0.");
  const workers = gauge(
    "haproxy_workers",
    "Worker processes of HAProxy, with those that finish old connections; no sample while that is not known.",
  );
  const applied = gauge(
    "applied_timestamp_seconds",
    "When HAProxy was proven to run what it runs; no sample while that is not known.",
  );
  const failing = gauge(
    "failing_since_timestamp_seconds",
    "Since when passes are refused or fail; no sample while they do not.",
  );
  const servers = gauge("servers", "Servers that are wanted, as of the last pass.", "backend");
  const held = gauge(
    "held_servers",
    "Servers that vanished from their source and are served on, since HAProxy's checks see them up.",
  );
  const sourceUp = gauge("source_up", "Whether the source is connected: 1 or 0.", "source");
  const sourceServers = gauge("source_servers", "Servers in the source's last picture.", "source");
  const quarantined = gauge("source_quarantined", "Refused entries in the source's last picture.", "source");
  const published = gauge(
    "source_last_snapshot_timestamp_seconds",
    "When the source published its last picture; no sample before the first.",
    "source",
  );

  return (status, failingSinceMs) => {
    // What is gone (a backend, the time of a failure) must lose its sample, not keep its last value.
    for (const one of [info, servers, sourceUp, sourceServers, quarantined, published]) one.reset();
    info.set({ version: status.version }, 1);
    ready.set(Number(readiness(status).ready));
    up.set(Number(status.haproxy.pid !== null));
    setOrRemove(workers, status.haproxy.workers);
    setOrRemove(applied, inSeconds(status.applied?.sinceMs ?? null));
    setOrRemove(failing, inSeconds(failingSinceMs));
    held.set(status.held.length);
    for (const backend of status.roster?.backends ?? [])
      servers.set({ backend: backend.name }, backend.servers.length);
    for (const { name: source, state, snapshot, publishedAtMs } of status.sources) {
      if (state !== "absent") sourceUp.set({ source }, Number(state === "live"));
      if (snapshot === null || publishedAtMs === null) continue;
      sourceServers.set({ source }, snapshot.servers.length);
      quarantined.set({ source }, snapshot.quarantined.length);
      published.set({ source }, publishedAtMs / 1000);
    }
  };
}

function passCounters(registry: Registry): {
  count(record: PassRecord): void;
  /** Begin of the first of the passes that failed since one succeeded, in milliseconds since the epoch. */
  failingSinceMs(): number | null;
} {
  const registers = [registry];
  const passes = new Counter({
    name: "rollcall_passes_total",
    help: "Passes of the loop by how they ended.",
    labelNames: ["outcome"],
    registers,
  });
  const durations = new Histogram({
    name: "rollcall_pass_duration_seconds",
    help: "Time that passes took, by stage; stage total is the whole pass. Of a pass that failed some stages are missing.",
    labelNames: ["stage"],
    buckets: BUCKETS,
    registers,
  });
  const reloads = new Counter({
    name: "rollcall_reloads_total",
    help: "Reloads after which HAProxy was proven to run the new configuration.",
    registers,
  });
  const failures = new Counter({
    name: "rollcall_failures_total",
    help: "Passes that were refused or failed, by the stage in which they did; retries count.",
    labelNames: ["stage"],
    registers,
  });
  // A series that begins with its first event hides that event from rate() and increase().
  for (const outcome of OUTCOMES) passes.inc({ outcome }, 0);
  for (const stage of STAGES) failures.inc({ stage }, 0);
  for (const stage of [...STAGES, TOTAL]) durations.zero({ stage });
  let failingSinceMs: number | null = null;

  return {
    failingSinceMs: () => failingSinceMs,
    count: ({ atMs, durationMs, timings, outcome }) => {
      passes.inc({ outcome: outcome.kind });
      durations.observe({ stage: TOTAL }, durationMs / 1000);
      for (const [stage, ms] of Object.entries(timings)) durations.observe({ stage }, ms / 1000);
      const failed = outcome.kind === "refused" || outcome.kind === "failed";
      if (failed) failures.inc({ stage: outcome.stage });
      if (outcome.kind === "applied" && outcome.way === "reload") reloads.inc();
      if (failed) failingSinceMs ??= atMs;
      else if (outcome.kind !== "deferred") failingSinceMs = null;
    },
  };
}

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { snapshot } from "../../src/core/snapshot.ts";
import type { Status } from "../../src/core/status.ts";
import { metrics } from "../../src/observe/metrics.ts";
import { type Family, parseExposition, type Sample } from "../support/exposition.ts";
import { APPLIED, healthyStatus, liveSource, NOW_MS, passRecord, statusServer } from "../support/status.ts";

const refused = { kind: "refused", stage: "check", reason: "line 12" } as const;
const failed = { kind: "failed", stage: "reload", reason: "no worker", unreachable: true } as const;

/** Metrics of a status that can be replaced. */
function lab(first: Status = healthyStatus()) {
  const holder = { status: first };
  const made = metrics({ status: () => holder.status });
  const read = async (): Promise<ReadonlyMap<string, Family>> =>
    new Map(parseExposition(await made.text()).map((family) => [family.name, family]));
  const samples = async (name: string): Promise<readonly Sample[]> => {
    const family = (await read()).get(name);
    if (family === undefined) throw new Error(`no metric ${name}`);
    return family.samples;
  };
  /** `{"label": value}` of a metric with one label, or the only value of one without. */
  const values = async (name: string): Promise<unknown> => {
    const found = await samples(name);
    if (found.length === 0) return null;
    if (found.length === 1 && Object.keys(found[0]?.labels ?? {}).length === 0) return found[0]?.value;
    return Object.fromEntries(found.map(({ labels, value }) => [Object.values(labels).join(), value]));
  };
  return { ...made, holder, read, samples, values };
}

describe("the text", () => {
  test("keeps Prometheus' format and its conventions for names", async () => {
    const { read, onPass } = lab();
    onPass(passRecord(1, 900, APPLIED));
    onPass(passRecord(2, 800, refused));
    for (const { name, type, help } of (await read()).values()) {
      expect(name).toMatch(/^(?:rollcall|process|nodejs)_[a-z_]+$/);
      expect(name.endsWith("_total"), `${name} is a ${type}`).toBe(type === "counter");
      expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|kb|mb|percent)(?:_|$)/);
      expect(name, "timestamps are in seconds").toMatch(/timestamp_seconds$|^(?!.*timestamp)/);
      expect(help).toMatch(/\.$/);
    }
  });

  test("says its type", () => {
    expect(lab().contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("escapes what a source may be called", async () => {
    const name = 'a"b\\c\nd';
    const { values } = lab(
      healthyStatus({ sources: [liveSource(snapshot({ source: name, revision: "1" }))] }),
    );
    expect(await values("rollcall_source_up")).toEqual({ [name]: 1 });
  });
});

describe("gauges", () => {
  test("show the status of this moment", async () => {
    const picture = snapshot({
      source: "etcd",
      revision: "1",
      servers: [statusServer("web1"), statusServer("web2"), statusServer("api1", { backend: "api" })],
      quarantined: [{ origin: { source: "etcd", id: "x", revision: "1" }, reason: "port 0" }],
    });
    const { values } = lab(healthyStatus({ sources: [liveSource(picture)] }));
    expect(await values("rollcall_build_info")).toEqual({ "1.2.3": 1 });
    expect(await values("rollcall_ready")).toBe(1);
    expect(await values("rollcall_haproxy_up")).toBe(1);
    expect(await values("rollcall_haproxy_workers")).toBe(1);
    expect(await values("rollcall_applied_timestamp_seconds")).toBe((NOW_MS - 60_000) / 1000);
    expect(await values("rollcall_failing_since_timestamp_seconds")).toBeNull();
    expect(await values("rollcall_servers")).toEqual({ api: 1, webserver: 2 });
    expect(await values("rollcall_source_up")).toEqual({ etcd: 1 });
    expect(await values("rollcall_source_servers")).toEqual({ etcd: 3 });
    expect(await values("rollcall_source_quarantined")).toEqual({ etcd: 1 });
    expect(await values("rollcall_source_last_snapshot_timestamp_seconds")).toEqual({
      etcd: (NOW_MS - 60_000) / 1000,
    });
  });

  test("lose the samples of what is gone", async () => {
    const { values, holder } = lab();
    expect(await values("rollcall_servers")).toEqual({ webserver: 1 });
    const silent = { state: "starting", snapshot: null, publishedAtMs: null } as const;
    holder.status = healthyStatus({
      sources: [liveSource(snapshot({ source: "etcd", revision: "1" }), silent)],
      roster: null,
      applied: null,
      haproxy: { pid: null, version: null, sinceMs: NOW_MS, workers: null },
    });
    expect(await values("rollcall_servers")).toBeNull();
    expect(await values("rollcall_applied_timestamp_seconds")).toBeNull();
    expect(await values("rollcall_source_last_snapshot_timestamp_seconds")).toBeNull();
    expect(await values("rollcall_source_up")).toEqual({ etcd: 0 });
    expect(await values("rollcall_haproxy_up")).toBe(0);
    expect(await values("rollcall_haproxy_workers")).toBeNull();
    expect(await values("rollcall_ready")).toBe(0);
  });
});

describe("passes", () => {
  test("have all their series from the start", async () => {
    const { values, samples } = lab();
    expect(await values("rollcall_passes_total")).toEqual({
      unchanged: 0,
      waiting: 0,
      deferred: 0,
      applied: 0,
      refused: 0,
      failed: 0,
    });
    const stages = { merge: 0, render: 0, runtime: 0, check: 0, commit: 0, reload: 0, confirm: 0 };
    expect(await values("rollcall_failures_total")).toEqual(stages);
    const counts = (await samples("rollcall_pass_duration_seconds")).filter(({ name }) =>
      name.endsWith("_count"),
    );
    expect(Object.fromEntries(counts.map(({ labels, value }) => [labels["stage"], value]))).toEqual({
      ...stages,
      total: 0,
    });
  });

  test("are counted by outcome and stage, and timed", async () => {
    const { values, samples, onPass } = lab();
    const done = { way: "runtime", reasons: [], operations: ["add webserver/web2"] } as const;
    const runtime = { kind: "applied", ...done, revision: "8c1f0a", servers: 2 } as const;
    for (const outcome of [APPLIED, runtime, refused, refused, failed]) onPass(passRecord(1, 0, outcome));
    expect(await values("rollcall_passes_total")).toMatchObject({
      applied: 2,
      refused: 2,
      failed: 1,
    });
    expect(await values("rollcall_failures_total")).toMatchObject({ check: 2, reload: 1, render: 0 });
    expect(await values("rollcall_reloads_total")).toBe(1);
    const durations = await samples("rollcall_pass_duration_seconds");
    const of = (suffix: string, stage: string, le?: string): number | undefined =>
      durations.find(
        ({ name, labels }) => name.endsWith(suffix) && labels["stage"] === stage && labels["le"] === le,
      )?.value;
    expect(of("_sum", "total")).toBeCloseTo(0.5);
    expect(of("_sum", "render")).toBeCloseTo(0.0075);
    expect(of("_bucket", "render", "0.001")).toBe(0);
    expect(of("_bucket", "render", "0.005")).toBe(5);
    expect(of("_bucket", "merge", "0.001")).toBe(5);
    expect(of("_count", "check")).toBe(0);
  });

  test("fail since the first one that did, until one does not", async () => {
    const { values, onPass } = lab();
    const since = () => values("rollcall_failing_since_timestamp_seconds");
    onPass(passRecord(1, 9000, refused));
    onPass(passRecord(2, 8000, { kind: "deferred", reasons: [] }));
    onPass(passRecord(3, 7000, failed));
    expect(await since()).toBe((NOW_MS - 9000) / 1000);
    onPass(passRecord(4, 6000, { kind: "unchanged" }));
    expect(await since()).toBeNull();
    onPass(passRecord(5, 5000, failed));
    expect(await since()).toBe((NOW_MS - 5000) / 1000);
  });
});

test("two instances know nothing of each other", async () => {
  const [a, b] = [lab(), lab()];
  a.onPass(passRecord(1, 0, APPLIED));
  expect(await b.values("rollcall_reloads_total")).toBe(0);
});

test("the process is told", async () => {
  const { values } = lab();
  expect(await values("process_resident_memory_bytes")).toBeGreaterThan(1e7);
  expect(await values("process_cpu_seconds_total")).toBeGreaterThanOrEqual(0);
  expect(await values("process_start_time_seconds")).toBeGreaterThan(1.7e9);
  expect(await values("nodejs_heap_size_used_bytes")).toBeGreaterThan(1e6);
});

describe("docs/reference/metrics.md", () => {
  const text = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const [ofDaemon = ""] = text.split("## Of an agent");
  const rows = [...ofDaemon.matchAll(/^\| `([a-z_]+)` +\| (\S+) +\| (.*?) +\| (.*?) +\|$/gm)].map(
    ([, name = "", type = "", labels = "", meaning = ""]) => ({ name, type, labels, meaning }),
  );

  test("has every metric with its type and labels, and no other", async () => {
    const { read } = lab();
    const documented = rows
      .filter(({ meaning }) => process.platform === "linux" || !meaning.includes("Linux only"))
      .map(({ name, type, labels }) => `${name} ${type} ${labels}`);
    const real = [...(await read()).values()].map(({ name, type, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      labels.delete("le");
      return `${name} ${type} ${[...labels].map((label) => `\`${label}\``).join(", ")}`.trim();
    });
    expect(documented.map((row) => row.trim()).toSorted()).toEqual(real.toSorted());
  });

  test("explains each of them", () => {
    for (const { name, meaning } of rows) expect(meaning, name).toMatch(/\w.*\.$/);
  });
});

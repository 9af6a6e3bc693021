import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AgentStatus, Registration } from "../../src/core/agent-status.ts";
import { snapshot } from "../../src/core/snapshot.ts";
import { agentMetrics } from "../../src/observe/agent-metrics.ts";
import { agentReadiness } from "../../src/observe/agent-readiness.ts";
import { agentRoutes } from "../../src/observe/agent-routes.ts";
import { agentStatusJson } from "../../src/observe/agent-status-json.ts";
import { agentStatusText } from "../../src/observe/agent-status-text.ts";
import { parseExposition } from "../support/exposition.ts";
import { liveSource, NOW_MS, statusServer } from "../support/status.ts";
import { publication } from "../support/test-registrar.ts";

const REGISTERING: Registration = {
  state: "registering",
  sinceMs: NOW_MS - 60_000,
  why: null,
  endpoint: "http://127.0.0.1:2379",
  lease: "7587",
  refreshedAtMs: NOW_MS - 3000,
  wanted: 1,
  published: 1,
  doubts: [],
  counts: { transactions: 3, conflicts: 1, keepalives: 12, leases: 1, breaks: 2 },
};

const picture = snapshot({ source: "docker", revision: "r", servers: [statusServer("web-1")] });

function agent(change: Partial<Registration> = {}, more: Partial<AgentStatus> = {}): AgentStatus {
  return {
    version: "1.2.3",
    startedAtMs: NOW_MS - 120_000,
    nowMs: NOW_MS,
    host: "a",
    address: "10.0.0.7",
    source: liveSource(picture),
    registration: { ...REGISTERING, ...change },
    refused: [],
    ...more,
  };
}

const DOUBT = { publication: publication("aa", "web-1", "127.0.0.1:1"), why: "taken" as const };

describe("an agent is ready", () => {
  test("when everything is registered, or cannot be for want of a name", () => {
    expect(agentReadiness(agent())).toEqual({ ready: true, reasons: [], notes: [] });
    const none = agentReadiness(agent({ wanted: 2, doubts: [{ ...DOUBT, name: null }] }));
    expect(none.ready).toBe(true);
    expect(none.notes).toEqual([
      "container aa0000000000: webserver/web-1 is taken, and so are the names in its place.",
    ]);
  });

  test("though the engine is down, once it has answered", () => {
    const source = { ...liveSource(picture), state: "down" as const, error: "gone" };
    const { ready, notes } = agentReadiness(agent({}, { source }));
    expect(ready).toBe(true);
    expect(notes[0]).toMatch(/^Docker has been down for .* \(gone\); what it said last stays registered\.$/);
  });

  test.each([
    [{ state: "disconnected", why: "etcd x: refused" }, "No connection to etcd for 60 s: etcd x: refused."],
    [{ state: "standing-by", why: "so" }, "Standing by for 60 s, the name a is taken: so."],
    [{ state: "waiting" }, "Docker has not answered for 60 s."],
    [{ state: "withdrawn" }, "It is ending and has taken its servers out."],
    [{ wanted: 3 }, "2 servers are not registered yet."],
  ] as const)("not when %j", (change, reason) => {
    expect(agentReadiness(agent(change))).toMatchObject({ ready: false, reasons: [reason] });
  });
});

test("names that were taken and entries that are refused are told everywhere", () => {
  const refused = [{ origin: { source: "docker", id: "bb web-9", revision: "" }, reason: "too long" }];
  const status = agent({ doubts: [{ ...DOUBT, name: "web-1-a" }] }, { refused });
  const json = agentStatusJson(status);
  expect(json.registration.doubts).toMatchObject([{ name: "web-1", registeredAs: "web-1-a" }]);
  expect(json.quarantined).toEqual([{ origin: "bb web-9", reason: "too long" }]);
  const text = agentStatusText(json, { url: "http://x", everyServer: false });
  expect(text).toContain("webserver/web-1 is taken; registered as web-1-a");
  expect(text).toContain("bb web-9: too long");
  expect(text).toMatch(/^host +a, reached at 10\.0\.0\.7$/m);
  expect(text).toMatch(/^registered +1 of 1 servers$/m);
});

test("what containers say cannot disturb a terminal", () => {
  const refused = [{ origin: { source: "docker", id: "bb", revision: "" }, reason: "a\u001b[2Jb\nc" }];
  const text = agentStatusText(agentStatusJson(agent({}, { refused })), {
    url: "http://x",
    everyServer: true,
  });
  expect(text).not.toContain("\u001b");
});

test("metrics are a view of the status: counters do not count twice, what is not known has no sample", async () => {
  let status = agent({ refreshedAtMs: null, wanted: null });
  const metrics = agentMetrics({ status: () => status });
  await metrics.text();
  const first = parseExposition(await metrics.text());
  const value = (found: typeof first, name: string): number | undefined =>
    found.flatMap(({ samples }) => samples).find((sample) => sample.name === name)?.value;
  expect(value(first, "rollcall_agent_transactions_total")).toBe(3);
  expect(value(first, "rollcall_agent_servers_wanted")).toBeUndefined();
  expect(value(first, "rollcall_agent_lease_refreshed_timestamp_seconds")).toBeUndefined();
  status = agent();
  const then = parseExposition(await metrics.text());
  expect(value(then, "rollcall_agent_servers_wanted")).toBe(1);
  const states = then.flatMap(({ samples }) => samples).filter(({ name }) => name === "rollcall_agent_state");
  expect(states.filter((sample) => sample.value === 1).map(({ labels }) => labels["state"])).toEqual([
    "registering",
  ]);
});

test("docs/reference/metrics.md has every metric of an agent with its type and labels, and no other", async () => {
  const text = readFileSync(new URL("../../docs/reference/metrics.md", import.meta.url), "utf8");
  const [, ofAgent = ""] = text.split("## Of an agent");
  const documented = [...ofAgent.matchAll(/^\| `([a-z_]+)` +\| (\S+) +\| (.*?) +\| .*\.\s+\|$/gm)].map(
    ([, name, type, labels]) => `${name} ${type} ${labels}`.trim(),
  );
  const real = parseExposition(await agentMetrics({ status: () => agent() }).text())
    .filter(({ name }) => name.startsWith("rollcall_"))
    .map(({ name, type, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      return `${name} ${type} ${[...labels].map((label) => `\`${label}\``).join(", ")}`.trim();
    });
  expect(documented.toSorted()).toEqual(real.toSorted());
});

test("its endpoints", async () => {
  const status = (): AgentStatus => agent({ state: "disconnected", why: "x" });
  const routes = agentRoutes({ status, metrics: agentMetrics({ status }) });
  const answers = await Promise.all(
    [...routes].map(async ([path, route]) => [path, await route.answer()] as const),
  );
  expect(answers.map(([path, { code }]) => [path, code])).toEqual([
    ["/", 200],
    ["/livez", 200],
    ["/readyz", 503],
    ["/metrics", 200],
    ["/api/status", 200],
  ]);
});

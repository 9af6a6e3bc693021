import { expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { figure } from "../support/figure.ts";
import { type LoadResult, startLoad } from "../support/load.ts";
import { type Stack, startStack } from "../support/stack.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const CHANGES = 60;

/**
 * A minute of load on one stack, with and without keep-alive, while a server comes or goes every second. Another backend
 * comes and goes with it, for which HAProxy must be reloaded.
 */
async function minuteOfChanges(stack: Stack): Promise<readonly LoadResult[]> {
  const limits = { url: stack.url, connections: 6, maxSeconds: 120, pauseMs: 10 };
  const loads = [startLoad({ ...limits, keepAlive: true }), startLoad({ ...limits, keepAlive: false })];
  for (let change = 0; change < CHANGES; change++) {
    const name = `comes${change % 3}`;
    if (change % 2 === 0) await stack.etcd.put("/app/servers/other/one", "127.0.0.1:9 check=off");
    else await stack.etcd.del("/app/servers/other/one");
    if (change % 6 < 3) await stack.app(name);
    else await stack.etcd.del(`/app/servers/${name}`);
    await after(1000);
  }
  return Promise.all(loads.map((load) => load.stop()));
}

it("fails no request in 60 s while servers come and go 60 times, each time by a reload", async () => {
  await using stacks = new AsyncDisposableStack();
  // The branches side by side: one after the other they would take three minutes.
  const all: Stack[] = [];
  for (const version of haproxyVersions) {
    const stack = stacks.use(await startStack({ version }));
    for (const name of ["stays1", "stays2"]) await stack.app(name);
    await stack.untilServed(["stays1", "stays2"]);
    all.push(stack);
  }
  const before = all.map((stack) => stack.reloads());
  const results = await Promise.all(all.map(minuteOfChanges));
  for (const [at, stack] of all.entries()) {
    for (const result of results[at] ?? []) {
      expect(result.failures, `HAProxy ${haproxyVersions[at]}`).toEqual([]);
      expect(result.failed).toBe(0);
      expect(result.sent).toBe(result.ok);
      expect(result.sent).toBeGreaterThan(3000);
      expect(result.byServer.get("comes0")).toBeGreaterThan(0);
    }
    expect(stack.reloads() - (before[at] ?? 0)).toBeGreaterThan(CHANGES / 2);
    expect(stack.haproxy.processes().length).toBeLessThan(10);
  }
  const sent = results.flat().reduce((sum, result) => sum + result.sent, 0);
  figure("requests sent", sent);
  figure(
    "requests failed",
    results.flat().reduce((sum, result) => sum + result.failed, 0),
  );
  figure("changes", all.length * CHANGES);
  figure(
    "reloads",
    all.reduce((sum, stack) => sum + stack.reloads(), 0),
  );
  console.log(`load: ${sent} requests, 0 failed, ${all.map((stack) => stack.reloads()).join("/")} reloads`);
});

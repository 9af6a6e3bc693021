import { describe, expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { startLoad } from "../support/load.ts";
import { startStack } from "../support/stack.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const CHANGES = 60;

describe.each(haproxyVersions)("HAProxy %s under load", (version) => {
  it("fails no request while servers come and go 60 times, each time by a reload", async () => {
    await using stack = await startStack({ version });
    for (const name of ["stays1", "stays2"]) await stack.app(name);
    await stack.untilServed(["stays1", "stays2"]);
    const before = stack.reloads();
    const limits = { url: stack.url, connections: 8, maxSeconds: 120 };
    const loads = [startLoad({ ...limits, keepAlive: true }), startLoad({ ...limits, keepAlive: false })];
    for (let change = 0; change < CHANGES; change++) {
      const name = `comes${change % 3}`;
      if (change % 6 < 3) await stack.app(name);
      else await stack.etcd.del(`/app/servers/${name}`);
      await after(1000);
    }
    const results = await Promise.all(loads.map((load) => load.stop()));
    expect(results.map((result) => result.failures)).toEqual([[], []]);
    for (const result of results) {
      expect(result.failed).toBe(0);
      expect(result.sent).toBe(result.ok);
      expect(result.sent).toBeGreaterThan(5000);
      expect(result.byServer.get("comes0")).toBeGreaterThan(0);
    }
    expect(stack.reloads() - before).toBeGreaterThan(CHANGES / 2);
    expect(stack.haproxy.processes().length).toBeLessThan(10);
  });
});

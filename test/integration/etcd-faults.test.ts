import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startApp } from "../support/app-server.ts";
import { startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { startStack } from "../support/stack.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Processor time of a process so far, in seconds (proc(5): utime and stime in ticks of 10 ms). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

describe("the daemon while etcd is in trouble", () => {
  it("goes on serving, costs next to nothing, and converges when etcd is back with other content", async () => {
    await using stack = await startStack({ version: "3.0" });
    await stack.app("web1");
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    await after(1000);
    const [pid, config, reloads] = [stack.daemon.pid, stack.config(), stack.reloads()];
    await stack.etcd.kill("SIGKILL");
    await eventually(async () => {
      const [etcd] = (await stack.daemon.status()).sources;
      expect(etcd).toMatchObject({ state: "down" });
    });
    const before = cpuSeconds(pid);
    await after(8000);
    expect((cpuSeconds(pid) - before) / 8).toBeLessThan(0.05);
    expect([stack.config(), stack.reloads()]).toEqual([config, reloads]);
    expect(await stack.served()).toEqual(["web1", "web2"]);
    const ready = await stack.daemon.get("/readyz");
    expect(ready.code).toBe(200);
    expect(ready.text).toMatch(/etcd/);
    await stack.etcd.restart();
    const backAt = performance.now();
    await stack.etcd.del("/app/servers/web1");
    await stack.app("web3");
    await stack.untilServed(["web2", "web3"], 30_000);
    figure("seconds to converge", (performance.now() - backAt) / 1000);
    expect(stack.daemon.pid).toBe(pid);
    expect(stack.daemon.alive).toBe(true);
  });

  it("notices a silent black hole within 30 s, and what changed behind it", async () => {
    await using etcd = await startEtcd();
    await using proxy = await startTcpProxy(etcd.port);
    await using stack = await startStack({
      version: "3.0",
      etcd,
      options: { "etcd-endpoints": `http://127.0.0.1:${proxy.port}` },
    });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    proxy.blackhole();
    const blackAt = performance.now();
    await stack.app("web2");
    await eventually(
      async () => {
        expect((await stack.daemon.status()).sources[0]).toMatchObject({ state: "down" });
      },
      { timeoutMs: 30_000 },
    );
    figure("seconds until noticed", (performance.now() - blackAt) / 1000);
    expect(await stack.served()).toEqual(["web1"]);
    await proxy.pass();
    await stack.untilServed(["web1", "web2"], 30_000);
  });

  it("finds its way after a compaction past what it had seen", async () => {
    await using etcd = await startEtcd();
    await using proxy = await startTcpProxy(etcd.port);
    await using stack = await startStack({
      version: "3.0",
      etcd,
      options: { "etcd-endpoints": `http://127.0.0.1:${proxy.port}` },
    });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await proxy.refuse();
    proxy.cut();
    await stack.etcd.del("/app/servers/web1");
    await stack.app("web2");
    for (let count = 0; count < 50; count++) await stack.etcd.put("/somebody/else", String(count));
    await stack.etcd.compact();
    await proxy.pass();
    await stack.untilServed(["web2"], 30_000);
  });

  it("keeps HAProxy's file when etcd is down at the start, says why it is not ready, and goes on trying", async () => {
    await using stack = await startStack({ version: "3.0", options: { "start-timeout": "1s" } });
    await using app = await startApp({ name: "web1" });
    await stack.etcd.put("/app/servers/web1", app.address);
    await stack.untilServed(["web1"]);
    await stack.daemon.kill("SIGTERM");
    await stack.etcd.kill();
    const [config, reloads] = [stack.config(), stack.reloads()];
    await stack.daemon.restart();
    await eventually(async () => {
      const ready = await stack.daemon.get("/readyz");
      expect(ready.code).toBe(503);
      // The time limit of the start is over; but to apply what is known would empty the backend.
      expect(ready.text).toMatch(/etcd has not answered yet.*would be removed: webserver\/web1/s);
    });
    expect([stack.config(), stack.reloads()]).toEqual([config, reloads]);
    expect(await stack.served()).toEqual(["web1"]);
    await stack.etcd.restart();
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"], 30_000);
  });
});

import { readFileSync } from "node:fs";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { haproxyBinary, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { startStack } from "../support/stack.ts";

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(haproxyVersions)("Rollcall with HAProxy %s dies and comes back", (version) => {
  it("leaves a complete, valid file when it is killed at any moment, and converges afterwards", async () => {
    await using stack = await startStack({ version, options: { "reload-interval": "1ms" } });
    const app = await stack.app("web0");
    await stack.untilServed(["web0"]);
    const binary = await haproxyBinary(version);
    for (let round = 1; round <= 12; round++) {
      for (let change = 0; change < 4; change++) {
        void stack.etcd.put(`/app/servers/web${change}`, `${app.address} weight=${10 * round + change}`);
      }
      await after((round * 37) % 200);
      await stack.daemon.kill("SIGKILL");
      const text = readFileSync(stack.configFile, "utf8");
      expect(text.endsWith("\n")).toBe(true);
      const checked = await execa(binary, ["-c", "-f", stack.configFile], { reject: false, all: true });
      expect(checked.exitCode, checked.all).toBe(0);
      expect(await stack.served()).toEqual(["web0"]);
      await stack.daemon.restart();
      await eventually(() => stack.daemon.get("/livez"));
    }
    await eventually(async () => {
      for (let change = 0; change < 4; change++) expect(stack.config()).toContain(`weight ${120 + change}\n`);
      expect((await stack.daemon.get("/readyz")).code).toBe(200);
    });
    expect(stack.haproxy.starts).toBe(1);
    expect(stack.haproxy.alive).toBe(true);
  });

  it("ends within five seconds of SIGTERM, HAProxy goes on, and a second start reloads nothing", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await eventually(async () => {
      expect((await stack.daemon.get("/readyz")).code).toBe(200);
    });
    const [startedAt, reloads] = [performance.now(), stack.reloads()];
    expect(await stack.daemon.kill("SIGTERM")).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(await stack.served()).toEqual(["web1"]);
    await stack.daemon.restart();
    await eventually(async () => {
      expect((await stack.daemon.get("/readyz")).code).toBe(200);
    });
    expect(stack.reloads()).toBe(reloads);
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
  });

  it("finds the changes that were made while it was away", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await stack.daemon.kill("SIGKILL");
    await stack.etcd.del("/app/servers/web1");
    await stack.app("web2");
    await stack.haproxy.restart();
    expect(await stack.served()).toEqual(["web1"]);
    await stack.daemon.restart();
    await stack.untilServed(["web2"]);
  });
});

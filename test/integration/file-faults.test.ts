import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { haproxyBinary } from "../../scripts/lab/haproxy.ts";
import { DEFAULT_TEMPLATE } from "../../src/parts.ts";
import { eventually } from "../support/eventually.ts";
import { faultVersions } from "../support/fault-versions.ts";
import { startLoad } from "../support/load.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { runningServers } from "../support/running-servers.ts";
import { startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const ORIGINAL = readFileSync(DEFAULT_TEMPLATE, "utf8");
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const flagsOf = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);

describe.each(faultVersions)("HAProxy %s and its file", (version) => {
  it("gets the newest text even while HAProxy is down, also from a Rollcall that has just started", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await stack.haproxy.stop();
    await stack.app("web2");
    await eventually(() => expect(stack.config()).toContain(" web2 "));
    await stack.daemon.restart();
    await stack.app("web3");
    await eventually(() => expect(stack.config()).toContain(" web3 "));
    await stack.haproxy.restart();
    await stack.untilServed(["web1", "web2", "web3"]);
    await eventually(async () => expect((await stack.daemon.get("/readyz")).code).toBe(200));
  });

  it("has servers taken back that the check refuses, and no others told before the check takes them", async () => {
    await using dir = await tempDir();
    const [binary, refuses] = [join(dir.path, "haproxy"), join(dir.path, "refuses")];
    const real = await haproxyBinary(version);
    writeFileSync(binary, `#!/bin/sh\n[ -e ${refuses} ] && exit 1\nexec ${real} "$@"\n`, { mode: 0o755 });
    await using stack = await startStack({ version, options: { "haproxy-bin": binary } });
    const servers = async (): Promise<readonly string[]> =>
      (await runningServers(stack.haproxy)).map(({ name }) => name);
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await eventually(async () => expect((await stack.daemon.get("/readyz")).code).toBe(200));
    await eventually(() => expect(stack.config()).toContain("server web1 "));
    const reloads = stack.reloads();
    writeFileSync(refuses, "");
    await stack.app("web2");
    const isRefused = async (): Promise<void> => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({ kind: "refused", stage: "check" });
      expect(await servers()).toEqual(["web1"]);
    };
    await eventually(isRefused);
    await stack.app("web3");
    const told = (): number => stack.daemon.log().filter(({ msg }) => msg === "applied").length;
    const before = told();
    const { pass = 0 } = (await stack.daemon.status()).lastPass ?? {};
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass?.pass).toBeGreaterThan(pass + 1);
      await isRefused();
    });
    expect([told(), stack.config().includes("server web2 ")]).toEqual([before, false]);
    rmSync(refuses);
    await stack.untilServed(["web1", "web2", "web3"]);
    await eventually(() => expect(stack.config()).toContain("server web3 "));
    expect(stack.reloads()).toBe(reloads);
  });

  it("gets its file back when somebody deletes it, at the latest when HAProxy is gone", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    rmSync(stack.configFile);
    await stack.haproxy.kill("SIGKILL");
    await stack.untilServed(["web1"], 30_000);
    expect(existsSync(stack.configFile)).toBe(true);
    await eventually(async () => expect((await stack.daemon.get("/readyz")).code).toBe(200));
  });

  it("is put right when somebody edits the file and reloads, though the stamp and the servers stay the same", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    const [good, reloads] = [stack.config(), stack.reloads()];
    writeFileSync(stack.configFile, good.replace(/(server web2 .*)/, "$1 disabled"));
    await eventually(
      () => {
        // HAProxy may lose a signal that comes so soon after our own reload.
        if (stack.reloads() === reloads) stack.haproxy.signal("SIGHUP");
        // Theirs and ours.
        expect(stack.reloads()).toBeGreaterThanOrEqual(reloads + 2);
      },
      { timeoutMs: 30_000, everyMs: 300 },
    );
    await stack.untilServed(["web1", "web2"]);
    expect(stack.config()).toBe(good);
  });

  it("proves servers whose address HAProxy writes in another way", async () => {
    await using stack = await startStack({ version });
    const app = await stack.app("web1", { register: false });
    await stack.etcd.put("/app/servers/web1", app.address);
    await stack.etcd.put("/app/servers/mapped", `[::ffff:127.0.0.1]:${app.port}`);
    await stack.etcd.put("/app/servers/long", "[0:0:0:0:0:0:0:1]:81 state=maint check=off");
    await eventually(async () => {
      expect((await stack.daemon.status()).applied).not.toBeNull();
      expect(stack.config()).toMatch(/ long \[::1\]:81[^]* mapped \[::ffff:/);
      expect((await stack.daemon.get("/readyz")).text).toBe("ready\n");
    });
  });

  it("is not lost to a template without the stats socket, which would put HAProxy out of reach", async () => {
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version, options: { template } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    writeFileSync(template, ORIGINAL.replace(/ {4}stats socket .*\n/, ""));
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining("stats socket"),
      });
    });
    writeFileSync(template, ORIGINAL);
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
  });

  it("does not have to bear one reload after the other for a text that it cannot take, whatever else changes", async () => {
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version, options: { template, "reload-interval": "100ms" } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const before = stack.reloads();
    // Accepted by "haproxy -c"; the new worker cannot start.
    const line = `    stats socket ${stack.dir}/none/x.sock\n`;
    writeFileSync(template, ORIGINAL.replace("    stats timeout", `${line}    stats timeout`));
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({ kind: "failed", stage: "reload" });
    });
    const load = startLoad({ url: stack.url, connections: 2, keepAlive: false, maxSeconds: 30 });
    for (let change = 0; change < 20; change++) {
      await stack.etcd.put("/app/servers/web9", `127.0.0.1:9 check=off state=maint weight=${change + 1}`);
      await after(200);
    }
    // After the first failure at most one more try in each of the waiting times of 1, 2 and 4 s, give or take half.
    expect(stack.reloads() - before).toBeLessThanOrEqual(6);
    expect((await load.stop()).failed).toBe(0);
    mkdirSync(join(stack.dir, "none"));
    writeFileSync(template, ORIGINAL);
    await eventually(() => expect(stack.config()).toContain("weight 20"));
    await stack.untilServed(["web1"]);
  });
});

describe.each(faultVersions)("HAProxy %s that is told to stop softly", (version) => {
  it.each([false, true])(
    "ends, and is not started anew by a change (master socket: %s)",
    async (masterSocket) => {
      await using stack = await startStack({ version, masterSocket });
      const app = await stack.app("web1");
      await stack.untilServed(["web1"]);
      const reloads = stack.reloads();
      // A request that is under way keeps the worker alive; its end ends HAProxy, whose supervisor starts it again.
      const answered = app.requests;
      const slow = fetch(`${stack.url}/slow?ms=4000`);
      await eventually(() => expect(app.requests).toBeGreaterThan(answered));
      stack.haproxy.signal("SIGUSR1");
      await after(500);
      await stack.etcd.put("/app/servers/web2", app.address);
      await eventually(() => expect(stack.config()).toContain(" web2 "));
      expect((await slow).status).toBe(200);
      expect(stack.reloads()).toBe(reloads);
      await eventually(() => expect(stack.haproxy.starts).toBe(2), { timeoutMs: 20_000 });
      await stack.untilServed(["web1"]);
    },
  );
});

describe("the live file", () => {
  it("is always a whole text, though two programs write it at the same time", async () => {
    await using stack = await startStack({ version: "3.0", options: { "reload-interval": "1ms" } });
    const app = await stack.app("web0");
    await stack.untilServed(["web0"]);
    const done = new AbortController();
    const seen = new Set<string>();
    const watching = (async () => {
      for (; !done.signal.aborted; await after(1)) seen.add(stack.config().slice(-1));
    })();
    for (let round = 0; round < 8; round++) {
      const put = stack.etcd.put("/app/servers/web1", `${app.address} weight=${round + 1}`);
      const both = [1, 2].map(() => rollcall(["render", "--write", ...flagsOf(stack.options)]));
      for (const { code, stderr } of await Promise.all(both)) expect(stderr + String(code)).toBe("0");
      await put;
    }
    done.abort();
    await watching;
    expect([...seen]).toEqual(["\n"]);
    await eventually(() => expect(stack.config()).toContain("weight 8"));
  });

  it("is the last good one again after a Rollcall that was killed in the middle of a reload that fails", async () => {
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version: "2.6", options: { template } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await eventually(async () => expect((await stack.daemon.get("/readyz")).code).toBe(200));
    const good = stack.config();
    const line = `    stats socket ${stack.dir}/none/x.sock\n`;
    writeFileSync(template, ORIGINAL.replace("    stats timeout", `${line}    stats timeout`));
    await eventually(() => expect(stack.config()).not.toBe(good), { everyMs: 1 });
    await stack.daemon.kill("SIGKILL");
    expect(stack.config()).toContain("/none/x.sock");
    await stack.daemon.restart();
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({ kind: "failed", stage: "reload" });
      expect(stack.config()).toBe(good);
    });
    await stack.haproxy.restart();
    expect(await stack.served()).toEqual(["web1"]);
  });
});

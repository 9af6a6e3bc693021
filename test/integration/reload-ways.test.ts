import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Child } from "../../scripts/lab/child.ts";
import { haproxyBinary, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { startStack } from "../support/stack.ts";

describe.each(haproxyVersions)("HAProxy %s is told to reload", (version) => {
  it("over the master's socket", async () => {
    await using stack = await startStack({ version, masterSocket: true });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    expect(stack.haproxy.starts).toBe(1);
  });

  it("never by a signal while it has just started: thirty starts, none harmed", async () => {
    await using stack = await startStack({ version, options: { "reload-interval": "1ms" } });
    const app = await stack.app("web0");
    await stack.untilServed(["web0"]);
    for (let round = 0; round < 30; round++) {
      await stack.haproxy.kill("SIGKILL");
      await stack.etcd.put(`/app/servers/web${round % 5}`, `${app.address} weight=${round + 1}`);
      await stack.haproxy.ready();
    }
    await eventually(async () => {
      const state = await stack.haproxy.show("show servers state webserver");
      expect(
        state
          .split("\n")
          .find((line) => line.includes(" web4 "))
          ?.split(" ")[7],
      ).toBe("30");
      expect((await stack.daemon.get("/readyz")).code).toBe(200);
    });
    // Only we ended it: had a signal ended it, its supervisor would have started it once more.
    expect(stack.haproxy.starts).toBe(31);
  });

  it("not at all when it is not in master-worker mode, and that is said", async () => {
    await using stack = await startStack({ version, daemon: false });
    await stack.haproxy.stop();
    const binary = await haproxyBinary(version);
    const alone = new Child({
      command: [binary, "-db", "-f", stack.configFile],
      logFile: join(stack.dir, "alone.log"),
    });
    try {
      const { rollcall, startRollcall } = await import("../support/rollcall-process.ts");
      await eventually(() => stack.haproxy.show("show info"));
      await using daemon = await startRollcall({ dir: stack.dir, options: stack.options });
      await stack.app("web1");
      await eventually(async () => {
        expect((await daemon.status()).lastPass).toMatchObject({
          kind: "failed",
          reason: expect.stringContaining("not in master-worker mode"),
        });
      });
      expect(alone.alive).toBe(true);
      expect(alone.log()).not.toMatch(/SIGHUP/);
      const flags = Object.entries(stack.options).flatMap(([name, value]) => [`--${name}`, value]);
      const doctor = await rollcall(["check", ...flags]);
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toMatch(/BAD {3}reload: .*start it with -W/);
    } finally {
      await alone.kill();
    }
  });

  it("not while the folder of the master's socket cannot be written", async () => {
    await using stack = await startStack({ version, masterSocket: true });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    // Root may write everywhere; a folder that is gone stands for one that is read-only.
    const elsewhere = join(stack.dir, "gone", "master.sock");
    expect(readFileSync(`/proc/${stack.haproxy.master}/cmdline`, "utf8")).not.toContain(elsewhere);
    rmSync(join(stack.dir, "master.sock"), { force: true });
    writeFileSync(join(stack.dir, "keep"), "");
    // A new backend takes a reload.
    await stack.app("api1", { backend: "api" });
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({ kind: "failed", stage: "reload" });
    });
    expect(await stack.served()).toEqual(["web1"]);
  });
});

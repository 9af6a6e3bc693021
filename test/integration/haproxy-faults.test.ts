import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_TEMPLATE } from "../../src/parts.ts";
import { eventually } from "../support/eventually.ts";
import { faultVersions } from "../support/fault-versions.ts";
import { freePort } from "../support/free-port.ts";
import { startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const ORIGINAL = readFileSync(DEFAULT_TEMPLATE, "utf8");
const lineOf = (line: string): number => ORIGINAL.split("\n").indexOf(line) + 1;
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(faultVersions)("HAProxy %s in trouble", (version) => {
  it.each([
    [
      "a template that throws",
      ORIGINAL.replace("defaults\n", "<% null.x %>\ndefaults\n"),
      new RegExp(`haproxy\\.cfg\\.eta:${lineOf("defaults")}: .*null`),
    ],
    [
      "a text that haproxy -c refuses",
      ORIGINAL.replace("mode http", "mode htpt"),
      /unknown proxy mode.*htpt/,
    ],
    ["an empty text", "<%# nothing %>", /empty/],
    ["only comments", "# nothing\n", /listen nowhere/],
    ["only a global section", "global\n    maxconn 100\n", /listen nowhere/],
  ])("keeps what runs when the candidate is %s, and takes the next good one", async (_, broken, reason) => {
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version, options: { template } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const [reloads, config] = [stack.reloads(), stack.config()];
    writeFileSync(template, broken);
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({
        kind: "refused",
        reason: expect.stringMatching(reason),
      });
    });
    await stack.app("web2");
    await after(500);
    expect(await stack.served()).toEqual(["web1"]);
    expect([stack.reloads(), stack.config()]).toEqual([reloads, config]);
    expect((await stack.daemon.get("/readyz")).text).toMatch(/refused/);
    writeFileSync(template, ORIGINAL);
    await stack.untilServed(["web1", "web2"]);
  });

  it("waits for a port that is taken, without a reload that would stop HAProxy for two seconds", async () => {
    const taken = await freePort();
    const blocker = createServer().listen(taken, "127.0.0.1");
    await once(blocker, "listening");
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version, options: { template } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const [good, reloads] = [stack.config(), stack.reloads()];
    writeFileSync(
      template,
      ORIGINAL.replace("    stats enable", `    bind 127.0.0.1:${taken}\n    stats enable`),
    );
    await eventually(async () => {
      expect((await stack.daemon.status()).lastPass).toMatchObject({
        kind: "failed",
        stage: "check",
        reason: expect.stringContaining(`port ${taken} of "bind" in line`),
      });
    });
    expect([stack.config(), stack.reloads()]).toEqual([good, reloads]);
    expect(await stack.served()).toEqual(["web1"]);
    blocker.close();
    await once(blocker, "close");
    await eventually(async () => expect((await fetch(`http://127.0.0.1:${taken}`)).status).toBe(200), {
      timeoutMs: 60_000,
    });
  });

  it("repeats a reload that failed, though the file does not change any more", async () => {
    await using dir = await tempDir();
    const template = join(dir.path, "haproxy.cfg.eta");
    writeFileSync(template, ORIGINAL);
    await using stack = await startStack({ version, options: { template } });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const good = stack.config();
    // "haproxy -c" does not look whether the folder of a socket is there; the new worker then cannot start.
    const later = join(stack.dir, "later");
    writeFileSync(
      template,
      ORIGINAL.replace("    stats timeout", `    stats socket ${later}/x.sock\n    stats timeout`),
    );
    await eventually(
      async () => {
        expect((await stack.daemon.status()).lastPass).toMatchObject({ kind: "failed", stage: "reload" });
      },
      { timeoutMs: 60_000 },
    );
    // What HAProxy could not take does not stay on the disk: a restart would not come up with it.
    expect(stack.config()).toBe(good);
    expect(await stack.served()).toEqual(["web1"]);
    mkdirSync(later);
    await eventually(() => expect(existsSync(join(later, "x.sock"))).toBe(true), { timeoutMs: 60_000 });
    await eventually(() => expect(stack.config()).toContain(`stats socket ${later}/x.sock`));
    await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
    expect(stack.haproxy.starts).toBe(1);
    expect(await stack.served()).toEqual(["web1"]);
  });

  it("loses no change to a signal that is lost, because somebody else reloads all the time", async () => {
    await using stack = await startStack({ version, options: { "reload-interval": "50ms" } });
    const app = await stack.app("web0");
    await stack.untilServed(["web0"]);
    for (let round = 1; round <= 10; round++) {
      await stack.etcd.put(`/app/servers/extra${round}`, app.address);
      for (let hup = 0; hup < 3; hup++) {
        stack.haproxy.signal("SIGHUP");
        await after(7 * round);
      }
    }
    await eventually(
      async () => {
        const state = await stack.haproxy.show("show servers state webserver");
        for (let round = 1; round <= 10; round++) expect(state).toContain(` extra${round} `);
      },
      { timeoutMs: 60_000 },
    );
    expect(stack.haproxy.starts).toBe(1);
    expect(await stack.served()).toEqual(["web0"]);
  });

  it("converges when HAProxy is killed and started again, also while changes come", async () => {
    await using stack = await startStack({ version });
    await stack.app("web0");
    await stack.untilServed(["web0"]);
    for (let round = 1; round <= 4; round++) {
      const killed = stack.haproxy.kill("SIGKILL");
      await stack.app(`web${round}`);
      await killed;
      await stack.haproxy.ready();
    }
    await stack.untilServed(["web0", "web1", "web2", "web3", "web4"], 30_000);
    await eventually(async () => {
      expect((await stack.daemon.get("/readyz")).code).toBe(200);
    });
  });

  it("puts HAProxy right when somebody reloaded an older file", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const older = stack.config();
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    await eventually(() => expect(stack.config()).toContain("server web2 "));
    const [newer, reloads] = [stack.config(), stack.reloads()];
    writeFileSync(stack.configFile, older);
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
    expect(stack.config()).toBe(newer);
  });
});

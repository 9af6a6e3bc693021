import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { serversOfFreshStart } from "../support/fresh-start.ts";
import { describeServer, runningServers } from "../support/running-servers.ts";
import type { Stack } from "../support/stack.ts";
import { stacksOfSuite } from "../support/stacks.ts";

/** What somebody may do on HAProxy's socket; the server `stays` is left alone. */
const DRIFTS = {
  "a server added": ["add server webserver/ghost 127.0.0.1:9", "enable server webserver/ghost"],
  "a server deleted": ["set server webserver/web1 state maint", "del server webserver/web1"],
  "another weight": ["set server webserver/web2 weight 99"],
  "another address": ["set server webserver/web3 addr 127.0.0.1 port 9"],
  maintenance: ["set server webserver/web4 state maint"],
  drain: ["set server webserver/web5 state drain"],
  "no more check": ["disable health webserver/web6"],
} as const;

const NAMES = ["stays", "web1", "web2", "web3", "web4", "web5", "web6"];

const running = async ({ haproxy }: Stack): Promise<readonly string[]> =>
  (await runningServers(haproxy)).map(describeServer);

/** Starts the servers and resolves with what HAProxy runs then. */
async function serve(stack: Stack): Promise<readonly string[]> {
  const { address } = await stack.app("app", { register: false });
  for (const name of NAMES) await stack.etcd.put(`/app/servers/${name}`, `${address} weight=5`);
  return eventually(async () => {
    const servers = await runningServers(stack.haproxy);
    expect(servers.map(({ name }) => name)).toEqual(NAMES);
    expect((await stack.daemon.get("/readyz")).text).toBe("ready\n");
    return servers.map(describeServer);
  });
}

/** Sends each line by itself; HAProxy may want a moment before it deletes a server. */
async function send({ haproxy }: Stack, lines: readonly string[]): Promise<void> {
  for (const line of lines)
    await eventually(async () =>
      expect((await haproxy.show(line)).trim()).toMatch(/^$|registered|deleted|port changed/),
    );
}

/** Resolves with the milliseconds until HAProxy runs this again. */
async function healed(stack: Stack, wanted: readonly string[], timeoutMs: number): Promise<number> {
  const startedAt = performance.now();
  await eventually(async () => expect(await running(stack)).toEqual(wanted), { timeoutMs });
  return Math.round(performance.now() - startedAt);
}

describe("changes behind our back over the socket", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s is put right within a minute", async (version) => {
    const stack = stackOf(version);
    const wanted = await serve(stack);
    const reloads = stack.reloads();
    await send(stack, Object.values(DRIFTS).flat());
    // All in the place where it was done, and seen.
    expect((await running(stack)).filter((server) => !wanted.includes(server)).length).toBe(6);
    const ms = await healed(stack, wanted, 75_000);
    await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
    figure("seconds to converge", ms / 1000);
    console.log(`HAProxy ${version}: healed after ${ms} ms with ${stack.reloads() - reloads} reloads`);
  });
});

describe("a change behind our back, and then one of ours to the same server", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s runs the server as it is wanted", async (version) => {
    const stack = stackOf(version);
    const wanted = await serve(stack);
    const place = addressOf(wanted[0] ?? "");
    for (const lines of Object.values(DRIFTS)) {
      const name = /webserver\/(\w+)/.exec(lines[0])?.[1] ?? "";
      await send(stack, lines);
      await stack.etcd.put(`/app/servers/${name}`, `${place} weight=6`);
      const server = (wanted[0] ?? "").replace("stays", name).replace("weight 5", "weight 6");
      await eventually(async () => expect(await running(stack)).toContain(server));
    }
    const all = wanted.map((server) => server.replace(/(web\d.*) weight 5/, "$1 weight 6"));
    const ghost = (all[1] ?? "").replace("web1", "ghost");
    await healed(stack, [ghost, ...all], 20_000);
  });
});

const addressOf = (server: string): string => server.split(" ")[1] ?? "";

describe("a HAProxy that is restarted or reloaded by somebody else", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s is put right at once", async (version) => {
    const stack = stackOf(version);
    const older = await serve(stack);
    const oldText = stack.config();
    const { address } = await stack.app("other", { register: false });
    await stack.etcd.put("/app/servers/web1", `${address} weight=7`);
    await stack.etcd.put("/app/servers/web7", address);
    await stack.etcd.del("/app/servers/web2");
    await stack.etcd.put("/app/overrides/web3", "maint");
    await stack.etcd.put("/app/overrides/web4", "drain");
    const wanted = await eventually(async () => {
      const now = await running(stack);
      expect(now.join("\n")).toMatch(
        /web1 \S+ weight 7[^]*web3 \S+ weight 5 maint[^]*web4 \S+ weight 0[^]*web7/,
      );
      expect(now.join("\n")).not.toMatch(/web2/);
      const fresh = await serversOfFreshStart({ version, text: stack.config(), dir: stack.dir });
      expect(fresh.map(describeServer)).toEqual(now);
      return now;
    });
    const text = stack.config();
    const times: Record<string, number> = {};

    writeFileSync(stack.configFile, oldText);
    await stack.haproxy.restart();
    times["restarted with an older file"] = await healed(stack, wanted, 30_000);
    await eventually(() => expect(stack.config()).toBe(text));

    await send(stack, Object.values(DRIFTS).slice(3).flat());
    await stack.haproxy.restart();
    times["restarted with our file"] = await healed(stack, wanted, 30_000);

    writeFileSync(stack.configFile, oldText);
    const worker = await stack.haproxy.workerPid();
    await eventually(
      async () => {
        stack.haproxy.signal("SIGHUP");
        expect(await stack.haproxy.workerPid()).not.toBe(worker);
      },
      { everyMs: 500 },
    );
    times["reloaded with an older file"] = await healed(stack, wanted, 30_000);
    await eventually(() => expect(stack.config()).toBe(text));

    // A file of somebody else, with other servers and without our stamp.
    const foreign = text.replace(/^ *description .*\n/m, "").replaceAll(/^ *server web.*\n/gm, "");
    writeFileSync(stack.configFile, `${foreign}    server foreign ${address}\n`);
    await stack.haproxy.restart();
    times["restarted with a file of others"] = await healed(stack, wanted, 30_000);
    await eventually(() => expect(stack.config()).toBe(text));
    expect(older).not.toEqual(wanted);
    for (const ms of Object.values(times)) figure("seconds to converge", ms / 1000);
    console.log(`HAProxy ${version}: ms until healed: ${JSON.stringify(times)}`);
  });
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { serverStatePath } from "../../src/core/server-state-path.ts";
import { handOver, NO_STATES } from "../../src/core/server-state.ts";
import { wantedServers } from "../../src/core/wanted-servers.ts";
import { serverStateFile } from "../../src/haproxy/server-state-file.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type HaproxyProcess, startHaproxy } from "../support/haproxy-process.ts";
import { startLoad } from "../support/load.ts";
import { startRollcall } from "../support/rollcall-process.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const DOWN = "0";
const UP = "2";

/** Columns of `show servers state` by their names, for each server. */
async function states(haproxy: HaproxyProcess): Promise<Record<string, Record<string, string>>> {
  const [, header = "", ...rows] = (await haproxy.show("show servers state")).trim().split("\n");
  const names = header.slice(2).split(" ");
  return Object.fromEntries(
    rows.map((row) => {
      const cells = row.split(" ");
      return [cells[3] ?? "", Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ""]))];
    }),
  );
}

/** Complaints about the file, at a start or a reload. */
const complaints = (haproxy: HaproxyProcess): readonly string[] =>
  haproxy.log().match(/.*(?:server-state (?:partially|application)|server state file).*/g) ?? [];

async function reloaded(haproxy: HaproxyProcess): Promise<void> {
  const before = await haproxy.workerPid();
  // A signal to a HAProxy that has just started is lost.
  await eventually(
    async () => {
      if ((await haproxy.workerPid()) !== before) return;
      haproxy.signal("SIGHUP");
      throw new Error("the old worker still answers");
    },
    { everyMs: 500 },
  );
}

/** No check comes while the test runs: nothing but the file makes a server DOWN. */
const CHECK = "check inter 10m rise 2 fall 3";
const AT = "127.0.0.1:9";

/**
 * Each server before a reload, what is done to it over the socket, and its line after. They are told to be DOWN, which
 * is what is handed over.
 */
const CASES: Readonly<Record<string, { before: string | null; done?: readonly string[]; after: string }>> = {
  same: { before: `${AT} ${CHECK}`, after: `${AT} ${CHECK}` },
  weighed: { before: `${AT} ${CHECK} weight 10`, done: ["weight 50"], after: `${AT} ${CHECK} weight 10` },
  heavier: { before: `${AT} ${CHECK} weight 10`, done: ["weight 50"], after: `${AT} ${CHECK} weight 20` },
  drained: { before: `${AT} ${CHECK} weight 10`, after: `${AT} ${CHECK} weight 0` },
  undrained: { before: `${AT} ${CHECK} weight 0`, done: ["state drain"], after: `${AT} ${CHECK} weight 5` },
  resting: { before: `${AT} ${CHECK}`, done: ["state maint"], after: `${AT} ${CHECK}` },
  off: { before: `${AT} ${CHECK}`, after: `${AT} ${CHECK} disabled` },
  moved: { before: `${AT} ${CHECK}`, after: `127.0.0.1:19 ${CHECK}` },
  unchecked: { before: `${AT} ${CHECK}`, after: AT },
  checked: { before: `${AT} ${CHECK} port 10`, after: `${AT} ${CHECK} port 11` },
  secured: { before: `${AT} ${CHECK}`, after: `${AT} ${CHECK} ssl verify none` },
  added: { before: null, after: `${AT} ${CHECK}` },
  fresh: { before: null, after: `${AT} ${CHECK}` },
  late: { before: null, after: `${AT} ${CHECK}` },
};

const text = (folder: string, servers: readonly (readonly [string, string])[]): string => `global
    stats socket ${folder}/admin.sock mode 600 level admin
    server-state-file ${folder}/h.cfg.servers
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    load-server-state-from-file global
backend web
    balance roundrobin
${servers.map(([name, line]) => `    server ${name} ${line}\n`).join("")}frontend main
    bind 127.0.0.1:%PORT%
    default_backend web
`;

/** A HAProxy of the cases as they are before the reload, and the text that they get by it. */
async function caseLab(folder: string, version: (typeof haproxyVersions)[number]) {
  const port = String(await freePort());
  const [configFile, stateFile] = [join(folder, "h.cfg"), join(folder, "h.cfg.servers")];
  const lines = (which: "before" | "after"): string => {
    const servers = Object.entries(CASES).map(([name, one]) => [name, one[which]] as const);
    const there = servers.filter((one): one is readonly [string, string] => one[1] !== null);
    return text(folder, there).replace("%PORT%", port);
  };
  writeFileSync(configFile, lines("before"));
  expect(await serverStateFile(stateFile).create()).toBeNull();
  const haproxy = await startHaproxy({ version, configFile, dir: folder });
  await haproxy.show(`add server web/added ${AT} check inter 10m rise 2 fall 3`);
  await haproxy.show("enable health web/added;enable server web/added");
  for (const [name, one] of Object.entries(CASES)) {
    if (one.before === null && name !== "added") continue;
    for (const command of ["health down", ...(one.done ?? [])])
      expect((await haproxy.show(`set server web/${name} ${command}`)).trim()).toBe("");
  }
  return { haproxy, stateFile, configFile, after: lines("after") };
}

describe.each(haproxyVersions)("HAProxy %s", (version) => {
  it("takes over the health of its servers, and all else from its new configuration", async () => {
    await using folder = await tempDir();
    const { haproxy, stateFile, configFile, after } = await caseLab(folder.path, version);
    await using _ = haproxy;
    const sections = readConfig(after);
    expect(serverStatePath(sections)).toBe(stateFile);
    const { servers: wanted } = wantedServers(sections);
    const startDown = new Set(["web/late"]);
    const file = serverStateFile(stateFile);
    expect(
      await file.save(handOver(await haproxy.show("show servers state"), { wanted, startDown })),
    ).toBeNull();
    writeFileSync(configFile, after);
    await reloaded(haproxy);
    expect(await file.clear()).toBeNull();
    const found = await states(haproxy);
    const column = (name: string): Record<string, string | undefined> =>
      Object.fromEntries(Object.entries(found).map(([server, columns]) => [server, columns[name]]));
    expect(column("srv_op_state")).toEqual({
      ...Object.fromEntries(Object.keys(CASES).map((name) => [name, DOWN])),
      ...{ resting: UP, moved: UP, unchecked: UP, fresh: UP },
    });
    expect(column("srv_uweight")).toMatchObject({
      weighed: "10",
      heavier: "20",
      drained: "0",
      undrained: "5",
    });
    expect(column("srv_port")).toMatchObject({ same: "9", moved: "19" });
    expect(column("srv_check_port")).toMatchObject({ checked: "11" });
    expect(column("srv_use_ssl")).toMatchObject({ same: "0", secured: "1" });
    // Maintenance by the configuration.
    expect(column("srv_admin_state")).toEqual({
      ...Object.fromEntries(Object.keys(CASES).map((name) => [name, "0"])),
      off: "5",
    });
    expect(complaints(haproxy)).toEqual([]);
  });

  it("would take over too much from all that it says itself", async () => {
    await using folder = await tempDir();
    const { haproxy, stateFile, configFile, after } = await caseLab(folder.path, version);
    await using _ = haproxy;
    writeFileSync(stateFile, await haproxy.show("show servers state"));
    writeFileSync(configFile, after);
    await reloaded(haproxy);
    expect(await states(haproxy)).toMatchObject({
      moved: { srv_port: "9" },
      unchecked: { srv_op_state: DOWN },
      resting: { srv_admin_state: "1" },
      checked: { srv_check_port: "10" },
      secured: { srv_use_ssl: "0" },
    });
  });
});

/** Registers a server whose check asks /healthz. */
async function checkedApp(stack: Stack, name: string) {
  const app = await stack.app(name, { register: false });
  const check = { path: "/healthz", interval: "1s", fall: 2 };
  await stack.etcd.put(`/app/servers/${name}`, JSON.stringify({ address: app.address, check }));
  return app;
}

const untilState = (stack: Stack, name: string, state: string): Promise<void> =>
  eventually(async () => {
    const found = (await states(stack.haproxy))[name]?.["srv_op_state"];
    if (found !== state) throw new Error(`${name} has state ${found}`);
  });

describe.each(haproxyVersions)("a daemon beside HAProxy %s", (version) => {
  it("has no server that is down served after its reloads, one that came over the socket neither", async () => {
    await using stack = await startStack({ version, options: { "reload-interval": "1ms" } });
    const stateFile = `${stack.configFile}.servers`;
    expect(readFileSync(stateFile, "utf8")).toBe(NO_STATES);
    const sick = await checkedApp(stack, "sick");
    await checkedApp(stack, "well");
    await stack.untilServed(["sick", "well"]);
    sick.healthy = false;
    const later = await checkedApp(stack, "later");
    later.healthy = false;
    await untilState(stack, "sick", DOWN);
    await untilState(stack, "later", DOWN);

    const load = startLoad({ url: stack.url, connections: 4, keepAlive: false, maxSeconds: 60 });
    for (let round = 0; round < 4; round++) {
      // A backend that is new cannot be made without a reload.
      await stack.app("other", { backend: `other${round}` });
      await eventually(async () =>
        expect(await stack.haproxy.show(`show servers state other${round}`)).toContain(" other "),
      );
      await eventually(() => expect(readFileSync(stateFile, "utf8")).toBe(NO_STATES));
      expect((await states(stack.haproxy))["well"]?.["srv_op_state"]).toBe(UP);
    }
    const { byServer, failures } = await load.stop();
    expect([...byServer.keys()]).toEqual(["well"]);
    expect(failures).toEqual([]);
    expect(complaints(stack.haproxy)).toEqual([]);

    sick.healthy = true;
    await stack.untilServed(["sick", "well"]);
  });

  it("clears what was left by another, and goes on without a file that cannot be written", async () => {
    await using stack = await startStack({ version, daemon: false });
    const stateFile = `${stack.configFile}.servers`;
    writeFileSync(stateFile, "1\n# left behind\n");
    await using daemon = await startRollcall({ dir: stack.dir, options: stack.options });
    await eventually(() => expect(readFileSync(stateFile, "utf8")).toBe(NO_STATES));
    // Nothing can be renamed over a folder.
    rmSync(stateFile);
    mkdirSync(stateFile);
    await stack.app("other", { backend: "other" });
    await eventually(async () =>
      expect(await stack.haproxy.show("show servers state other")).toContain(" other "),
    );
    await eventually(async () => expect((await daemon.get("/readyz")).text).toBe("ready\n"));
  });

  it("tells of many old workers, which long answers keep alive", async () => {
    await using stack = await startStack({ version, options: { "reload-interval": "1ms" } });
    const app = await stack.app("web1");
    await stack.untilServed(["web1"]);
    await eventually(async () => expect((await stack.daemon.status()).haproxy.workers).toBe(1));
    const open: Promise<unknown>[] = [];
    for (let round = 0; round < 6; round++) {
      const worker = await stack.haproxy.workerPid();
      open.push(fetch(`${stack.url}/slow?ms=25000`));
      await eventually(async () => expect(await stack.haproxy.show("show sess")).toContain("be=webserver"));
      await stack.app("other", { backend: `other${round}` });
      await eventually(async () => expect(await stack.haproxy.workerPid()).not.toBe(worker));
    }
    await eventually(async () => expect((await stack.daemon.status()).haproxy.workers).toBe(7));
    await eventually(() =>
      expect(stack.daemon.log().filter(({ msg }) => msg === "many old workers")).toMatchObject([
        { level: "warn", oldWorkers: 6, reason: expect.stringContaining("hard-stop-after") },
      ]),
    );
    expect(await stack.daemon.get("/readyz")).toMatchObject({
      code: 200,
      text: expect.stringContaining("6 old workers"),
    });
    expect((await stack.daemon.get("/metrics")).text).toContain("rollcall_haproxy_workers 7\n");
    await app[Symbol.asyncDispose]();
    await Promise.all(open);
    await eventually(async () => expect((await stack.daemon.status()).haproxy.workers).toBe(1), {
      timeoutMs: 20_000,
    });
    expect((await stack.daemon.get("/readyz")).text).toBe("ready\n");
  });
});

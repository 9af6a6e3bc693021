import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startEngine, type Engine } from "../../scripts/lab/engine.ts";
import { ensureImages } from "../../scripts/lab/images.ts";
import type { Server } from "../../src/core/server.ts";
import { dockerSourceLab, WITHOUT_NETWORK, type DockerSourceLab } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { followSource } from "../support/follow-source.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";

const STUBBORN = { ...WITHOUT_NETWORK, script: "trap '' TERM; /bin/busybox sleep 1000" };

const soon = (attempt: () => unknown): Promise<unknown> => eventually(attempt, { timeoutMs: 30_000 });

let dir: TempDir;
let engine: Engine;
let docker: DockerSourceLab;

// An engine of its own, without live-restore as Docker comes; docker-faults has one with it.
beforeAll(async () => {
  dir = await tempDir();
  engine = await startEngine({ name: "restarts", dir: `${dir.path}/engine` });
  await ensureImages(engine, ["app"]);
});
beforeEach(async () => {
  await engine.start(); // It runs, unless a test before this one failed.
  docker = await dockerSourceLab(engine);
});
afterEach(() => docker?.[Symbol.asyncDispose]());
afterAll(async () => {
  await engine?.dispose();
  await dir[Symbol.asyncDispose]();
});

const placeOf = ({ name, address }: Server): string => `${name} ${address}`;

describe("the engine restarts without live-restore, and its containers with it", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)("after %s, addresses are those of now", async (signal) => {
    // What comes back finds the first address free, which was another's.
    const goes = await docker.serve("goes");
    const comes = await docker.serve("comes", { flags: ["--restart", "always"] });
    const before = { goes: await goes.ip(), comes: await comes.ip() };
    await using following = followSource(docker.source());
    await soon(() => expect(following.names()).toEqual(["comes", "goes"]));
    await engine.stop(signal);
    await soon(() => expect(following.state()).toBe("down"));
    const heard = following.snapshots.length;
    await engine.start();
    await soon(() => expect(following.names()).toEqual(["comes"]));
    const now = await comes.ip();
    await soon(() => expect(following.snapshots.at(-1)?.servers.map(placeOf)).toEqual([`comes ${now}`]));
    const old = following.snapshots.slice(0, heard).flatMap(({ servers }) => servers.map(placeOf));
    const fresh = following.snapshots.slice(heard).flatMap(({ servers }) => servers.map(placeOf));
    expect(new Set(old)).toEqual(new Set([`comes ${before.comes}`, `goes ${before.goes}`]));
    expect(new Set(fresh)).toEqual(new Set([`comes ${now}`]));
  });
});

test("an address and a name that another container takes at once are that one's", async () => {
  const how = await fixedAddress();
  const first = await docker.serve("web", { ...how, script: STUBBORN.script ?? "" });
  await using following = followSource(docker.source());
  const holder = () => following.snapshots.at(-1)?.servers.map(({ suffix, state }) => `${suffix} ${state}`);
  await soon(() => expect(holder()).toEqual([`${first.id.slice(0, 6)} ready`]));
  // Nothing of the first one's stop may stick to the second.
  await first.kill("TERM");
  await soon(() => expect(holder()).toEqual([`${first.id.slice(0, 6)} drain`]));
  await first.remove();
  const second = await docker.serve("web", how);
  await soon(() => expect(holder()).toEqual([`${second.id.slice(0, 6)} ready`]));
  for (const { servers } of following.snapshots) {
    expect(servers.length).toBeLessThan(2);
    for (const { suffix, state } of servers)
      if (suffix === second.id.slice(0, 6)) expect(state).toBe("ready");
  }
});

/** How containers get one and the same address. */
async function fixedAddress(): Promise<{ networks: string[]; flags: string[] }> {
  const spare = await docker.lab.network();
  const format = "{{(index .IPAM.Config 0).Subnet}}";
  const subnet = await docker.lab.docker("network", "inspect", "-f", format, spare);
  await docker.lab.docker("network", "rm", spare);
  const [network, label] = [`${spare}-fixed`, `rollcall.test=${docker.lab.id}`];
  await docker.lab.docker("network", "create", "--label", label, "--subnet", subnet, network);
  return { networks: [network], flags: ["--ip", subnet.replace(/[0-9]+\/[0-9]+$/, "77")] };
}

describe("rollcall run", () => {
  /** HAProxy and Rollcall, which follow this engine and nothing else. */
  const stackOf = (): Promise<Stack> =>
    startStack({
      version: "3.0",
      options: {
        "etcd-endpoints": "off",
        docker: "on",
        "docker-host": engine.dockerHost,
        "label-prefix": docker.prefix,
      },
    });
  const serverOf = async ({ daemon }: Stack, name: string) => {
    const { backends, waiting } = await daemon.status();
    const found = backends.flatMap(({ servers }) => servers).find((one) => one.name === name);
    return found?.state ?? waiting.find((one) => one.name === name)?.reason;
  };
  const untilServer = (stack: Stack, name: string, expected: unknown) =>
    soon(async () => expect(await serverOf(stack, name)).toEqual(expected));

  test("a container that was removed while Rollcall was down is out, though another has its address", async () => {
    await using stack = await stackOf();
    const app = (name: string) =>
      docker.lab.run({ labels: docker.labels(name, { backend: name, host: `${name}.org`, port: "8000" }) });
    const whoAnswers = async (host: string): Promise<string> => {
      const { code, text } = await stack.ask("/", { host });
      return code === 200 ? (JSON.parse(text) as { host: string }).host : String(code);
    };
    const old = await app("old");
    await soon(async () => expect(await whoAnswers("old.org")).toBe(old.id.slice(0, 12)));
    await stack.daemon.kill("SIGKILL");
    await old.remove();
    const heir = await app("heir");
    await stack.daemon.restart();
    await soon(async () => expect(await whoAnswers("heir.org")).toBe(heir.id.slice(0, 12)));
    await soon(async () => expect(await whoAnswers("old.org")).toBe("503"));
  });

  test("a clock that jumps neither ends a drain nor prolongs it", async () => {
    await using folder = await tempDir();
    const clockFile = join(folder.path, "clock");
    vi.stubEnv("NODE_OPTIONS", `--import=${join(import.meta.dirname, "../support/clock-jump.ts")}`);
    vi.stubEnv("CLOCK_JUMP_FILE", clockFile);
    await using stack = await stackOf();
    const hoursOff = async (): Promise<number> =>
      Math.round((Date.parse((await stack.daemon.status()).now) - Date.now()) / 3_600_000);
    const jump = async (hours: number): Promise<void> => {
      await writeFile(clockFile, String(hours * 3_600_000));
      await soon(async () => expect(await hoursOff()).toBe(hours));
    };
    const labels = (drain: string) => ({ ...STUBBORN, labels: { ...STUBBORN.labels, drain } });
    const long = await docker.serve("long", labels("3h"));
    const short = await docker.serve("short", labels("1s"));
    await untilServer(stack, "short", "ready");
    await untilServer(stack, "long", "ready");
    await long.kill("TERM");
    await untilServer(stack, "long", "drain");
    await jump(24);
    // A list is read after the jump.
    await docker.serve("later", WITHOUT_NETWORK);
    await untilServer(stack, "later", "ready");
    expect(await serverOf(stack, "long")).toBe("drain");
    await short.kill("TERM");
    await jump(-24);
    await untilServer(stack, "short", expect.stringContaining("still running"));
    expect(await serverOf(stack, "long")).toBe("drain");
  });
});

test("with live-restore a stop signal is remembered over restarts, and the others stay", async () => {
  await using live = await startEngine({ name: "live", dir: `${dir.path}/live`, liveRestore: true });
  await using lab = await dockerSourceLab(live);
  const leaves = await lab.serve("leaves", { ...STUBBORN, networks: [], labels: { drain: "1h" } });
  await lab.serve("stays");
  await using following = followSource(lab.source());
  await soon(() => expect(following.names()).toEqual(["leaves", "stays"]));
  await leaves.kill("TERM");
  await soon(() => expect(following.stateOf("leaves")).toBe("drain"));
  const heard = following.snapshots.length;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await live.stop(signal);
    await soon(() => expect(following.state()).toBe("down"));
    await live.start();
    await soon(() => expect(following.state()).toBe("live"));
  }
  const states = following.snapshots
    .slice(heard)
    .map(({ servers }) => servers.map(({ name, state }) => `${name} ${state}`).toSorted());
  for (const seen of states) expect(seen).toEqual(["leaves drain", "stays ready"]);
  expect(states.length).toBeGreaterThan(1);
});

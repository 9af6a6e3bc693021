import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startEngine, type Engine } from "../../scripts/lab/engine.ts";
import { ensureImages } from "../../scripts/lab/images.ts";
import {
  BUSYBOX,
  dockerSourceLab,
  WITHOUT_NETWORK,
  type DockerSourceLab,
} from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { followSource, type Following } from "../support/follow-source.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";

let engine: Engine;
let dir: TempDir;
let docker: DockerSourceLab;

// An engine of its own: these tests stop it, and it must not be anybody else's.
beforeAll(async () => {
  dir = await tempDir();
  engine = await startEngine({ name: "faults", dir: `${dir.path}/engine`, liveRestore: true });
  await ensureImages(engine, ["app"]);
});
beforeEach(async () => {
  await docker?.[Symbol.asyncDispose]();
  docker = await dockerSourceLab(engine);
});
afterAll(async () => {
  await docker?.[Symbol.asyncDispose]();
  await engine?.dispose();
  await dir[Symbol.asyncDispose]();
});

const untilNames = (following: Following, names: readonly string[], timeoutMs = 15_000): Promise<void> =>
  eventually(() => expect(following.names()).toEqual(names), { timeoutMs });

describe("the engine restarts", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)("after %s, with changes meanwhile", async (signal) => {
    const stays = await docker.serve("stays", WITHOUT_NETWORK);
    const goes = await docker.serve("goes", WITHOUT_NETWORK);
    await using following = followSource(docker.source());
    await untilNames(following, ["goes", "stays"]);
    await engine.stop(signal);
    await eventually(() => expect(following.state()).toBe("down"));
    expect(following.names()).toEqual(["goes", "stays"]);
    process.kill(await pidOf(goes.id), "SIGKILL");
    await engine.start();
    await untilNames(following, ["stays"]);
    await docker.serve("new", WITHOUT_NETWORK);
    await untilNames(following, ["new", "stays"]);
    expect(await docker.lab.docker("inspect", "-f", "{{.State.Running}}", stays.id)).toBe("true");
    // Nothing but what was true at some moment was ever published: an outage is not an empty engine.
    const seen = new Set(following.pictures.map((names) => names.join()));
    expect([...seen]).toEqual(["goes,stays", "stays", "new,stays"]);
  });
});

test("an engine that hangs is noticed, and read again when it goes on", async () => {
  await docker.serve("one", WITHOUT_NETWORK);
  await using following = followSource(docker.source());
  await untilNames(following, ["one"]);
  engine.pause();
  try {
    const start = performance.now();
    await eventually(() => expect(following.state()).toBe("down"), { timeoutMs: 30_000 });
    expect(performance.now() - start).toBeLessThan(9000);
    expect(following.board.sources()[0]?.error).toMatch(/did not answer within 3000 ms \(ping\)/);
    expect(following.names()).toEqual(["one"]);
  } finally {
    engine.resume();
  }
  await docker.serve("two", WITHOUT_NETWORK);
  await untilNames(following, ["one", "two"]);
});

test("a connection that is cut, and one that swallows everything, are replaced", async () => {
  await using proxy = await startTcpProxy(engine.socketPath);
  await docker.serve("one", WITHOUT_NETWORK);
  await using following = followSource(docker.source({ host: `tcp://${proxy.address}` }));
  await untilNames(following, ["one"]);
  proxy.cut();
  await docker.serve("two", WITHOUT_NETWORK);
  await untilNames(following, ["one", "two"], 3000);
  proxy.blackhole();
  await docker.serve("three", WITHOUT_NETWORK);
  await eventually(() => expect(following.state()).toBe("down"), { timeoutMs: 10_000 });
  await proxy.pass();
  await untilNames(following, ["one", "three", "two"]);
});

describe("a stop signal is remembered", () => {
  const stubborn = { ...WITHOUT_NETWORK, script: "trap '' TERM; /bin/busybox sleep 1000" };

  test("over a lost connection", async () => {
    await using proxy = await startTcpProxy(engine.socketPath);
    const one = await docker.serve("one", stubborn);
    await using following = followSource(docker.source({ host: `tcp://${proxy.address}` }));
    await untilNames(following, ["one"]);
    await one.kill("TERM");
    await eventually(() => expect(following.stateOf("one")).toBe("drain"));
    const before = following.pictures.length;
    proxy.cut();
    await docker.serve("two", WITHOUT_NETWORK);
    await untilNames(following, ["one", "two"], 3000);
    expect(following.pictures.length).toBeGreaterThan(before);
    expect(following.stateOf("one")).toBe("drain");
  });

  test("but not when the container was started again meanwhile", async () => {
    await using proxy = await startTcpProxy(engine.socketPath);
    const one = await docker.serve("one", stubborn);
    await using following = followSource(docker.source({ host: `tcp://${proxy.address}` }));
    await untilNames(following, ["one"]);
    await one.kill("TERM");
    await eventually(() => expect(following.stateOf("one")).toBe("drain"));
    await proxy.refuse();
    proxy.cut();
    await docker.lab.docker("restart", "-t", "0", one.id);
    await proxy.pass();
    await eventually(() => expect(following.stateOf("one")).toBe("ready"));
  });
});

describe("where nothing else happens that would cause a list", () => {
  test("what the engine's list shows only after its event is seen", async () => {
    const network = await docker.lab.network();
    const one = await docker.serve("one", { networks: [network] });
    await using following = followSource(docker.source());
    await untilNames(following, ["one"]);
    for (let round = 0; round < 5; round++) {
      await one.pause();
      await eventually(() => expect(following.stateOf("one")).toBe("paused"), { timeoutMs: 3000 });
      await one.unpause();
      await eventually(() => expect(following.stateOf("one")).toBe("ready"), { timeoutMs: 3000 });
      await one.disconnect(network);
      await eventually(() => expect(following.stateOf("one")).toBe("it is on no network"), {
        timeoutMs: 3000,
      });
      await one.connect(network);
      await eventually(() => expect(following.stateOf("one")).toBe("ready"), { timeoutMs: 3000 });
    }
  });

  test("a drain that is over takes out by itself", async () => {
    const labels = { ...WITHOUT_NETWORK.labels, drain: "1s" };
    const one = await docker.serve("one", {
      ...WITHOUT_NETWORK,
      labels,
      script: "trap '' TERM; /bin/busybox sleep 1000",
    });
    await using following = followSource(docker.source({ pace: { afterwardsMs: [] } }));
    await untilNames(following, ["one"]);
    await one.kill("TERM");
    await eventually(() => expect(following.stateOf("one")).toBe("drain"));
    await eventually(() => expect(following.stateOf("one")).toContain("still running"), { timeoutMs: 3000 });
  });
});

test("a hundred at once", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `many${String(index).padStart(3, "0")}`);
  const flags = (name: string): string[] => {
    const labels = { ...docker.labels(name, WITHOUT_NETWORK.labels), "rollcall.test": docker.lab.id };
    return Object.entries(labels).flatMap(([label, value]) => ["-l", `${label}=${value}`]);
  };
  const ids = [];
  for (const name of names) {
    ids.push(
      await docker.lab.docker(
        "create",
        ...flags(name),
        "--network",
        "none",
        ...BUSYBOX,
        "local/app:1",
        "sleep",
        "1000",
      ),
    );
  }
  await using following = followSource(docker.source());
  await untilNames(following, []);
  await docker.lab.docker("start", ...ids);
  await untilNames(following, names);
  // In tens: a hundred deaths in one moment are too much for the containerd of Debian 12.
  for (let first = 0; first < 100; first += 10)
    await docker.lab.docker("kill", ...ids.slice(first, first + 10));
  await untilNames(following, []);
});

/** The container's process, for a death that the engine does not cause. */
async function pidOf(id: string): Promise<number> {
  const { stdout: shim } = await execa("pgrep", ["-f", `containerd-shim.*${id}`]);
  const { stdout: pid } = await execa("pgrep", ["-P", shim]);
  return Number(pid);
}

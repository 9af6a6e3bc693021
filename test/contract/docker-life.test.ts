import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testcontainersEnv } from "../support/docker.ts";
import {
  BUSYBOX,
  dockerSourceLab,
  SLEEP,
  WITHOUT_NETWORK,
  type DockerSourceLab,
} from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";

let docker: DockerSourceLab;
let run: SourceRun;

// One run of the source for all: each test has containers of its own names.
beforeAll(async () => {
  docker = await dockerSourceLab();
  run = runSource(docker.source());
  await eventually(() => expect(run.names()).toEqual([]));
});
afterAll(async () => {
  await run[Symbol.asyncDispose]();
  await docker[Symbol.asyncDispose]();
});

/** What the last picture says of a server: its state, or why it is not served; undefined = nothing. */
function stateOf(name: string): string | undefined {
  const last = run.snapshots.at(-1);
  const server = last?.servers.find((one) => one.name === name);
  return server?.state ?? last?.waiting.find((one) => one.name === name)?.reason;
}

const untilState = (name: string, expected: string | undefined, timeoutMs = 5000): Promise<void> =>
  eventually(() => expect(stateOf(name)).toBe(expected), { timeoutMs });

/** All states that a server had, one after the other; what did not change is told once. */
function historyOf(name: string): readonly string[] {
  const states = run.snapshots.map(
    ({ servers, waiting }) =>
      servers.find((one) => one.name === name)?.state ??
      (waiting.some((one) => one.name === name) ? "waiting" : "out"),
  );
  return states.filter((state, index) => state !== states[index - 1]);
}

describe("comes and goes", () => {
  test("with an ordinary start and stop", async () => {
    Object.assign(process.env, testcontainersEnv(docker.lab));
    const { GenericContainer, Wait } = await import("testcontainers");
    const started = await new GenericContainer("local/app:1")
      .withLabels(docker.labels("ordinary"))
      .withExposedPorts(8000)
      .withWaitStrategy(Wait.forListeningPorts())
      .start();
    await untilState("ordinary", "ready");
    const server = run.snapshots.at(-1)?.servers.find(({ name }) => name === "ordinary");
    expect(server).toMatchObject({
      port: 8000,
      suffix: started.getId().slice(0, 6),
      origin: { source: "docker" },
    });
    const answer = await fetch(`http://${server?.address}:8000/`);
    expect(await answer.json()).toMatchObject({ host: started.getId().slice(0, 12) });
    await started.stop();
    await untilState("ordinary", undefined);
    expect(historyOf("ordinary")).toEqual(["out", "ready", "drain", "out"]);
  });

  test("a stop drains at the signal, long before the end", async () => {
    const slow = await docker.serve("slow", {
      ...WITHOUT_NETWORK,
      script: "trap '' TERM; /bin/busybox sleep 1000",
    });
    await untilState("slow", "ready");
    const stopped = slow.stop(2);
    await untilState("slow", "drain", 1000);
    expect(await docker.lab.docker("inspect", "-f", "{{.State.Running}}", slow.id)).toBe("true");
    await stopped;
    await untilState("slow", undefined);
  });

  test("a drain that is over takes out, without any event", async () => {
    const labels = { ...WITHOUT_NETWORK.labels, drain: "300ms" };
    const stubborn = await docker.serve("stubborn", {
      ...WITHOUT_NETWORK,
      labels,
      script: "trap '' TERM; /bin/busybox sleep 1000",
    });
    await untilState("stubborn", "ready");
    await stubborn.kill("TERM");
    await untilState("stubborn", "drain", 1000);
    await eventually(
      () => expect(stateOf("stubborn")).toMatch(/^stop signal 15 received \d s ago, still running$/),
      { timeoutMs: 2000 },
    );
    await docker.lab.docker("restart", "-t", "0", stubborn.id);
    await untilState("stubborn", "ready");
  });

  test("kill -9 and death by itself", async () => {
    const killed = await docker.serve("killed", WITHOUT_NETWORK);
    const dying = await docker.serve("dying", {
      ...WITHOUT_NETWORK,
      script: "trap 'exit 1' USR1; /bin/busybox sleep 1000 & wait",
    });
    await untilState("killed", "ready");
    await untilState("dying", "ready");
    await killed.kill();
    await untilState("killed", undefined);
    await dying.kill("USR1");
    await untilState("dying", undefined);
    expect(historyOf("dying")).toEqual(["out", "ready", "out"]);
  });

  test("a restart comes back, with another revision", async () => {
    const again = await docker.serve("again", WITHOUT_NETWORK);
    await untilState("again", "ready");
    const revision = () =>
      run.snapshots.at(-1)?.servers.find(({ name }) => name === "again")?.origin.revision;
    const before = revision();
    await docker.lab.docker("restart", "-t", "1", again.id);
    await untilState("again", "ready");
    await eventually(() => expect(revision()).not.toBe(before));
  });
});

describe("signals", () => {
  test("that are no stop signal change nothing", async () => {
    const script = "trap : HUP USR1 WINCH; while :; do /bin/busybox sleep 1000 & wait; done";
    const one = await docker.serve("reloading", { ...WITHOUT_NETWORK, script });
    await untilState("reloading", "ready");
    for (const signal of ["HUP", "USR1", "WINCH", "HUP"]) await one.kill(signal);
    await marker();
    expect(historyOf("reloading")).toEqual(["out", "ready"]);
  });

  test("the container's own stop signal drains", async () => {
    const script = "trap '' QUIT TERM; /bin/busybox sleep 1000";
    const flags = ["--stop-signal", "SIGQUIT"];
    const own = await docker.serve("own-signal", { ...WITHOUT_NETWORK, script, flags });
    const numbered = await docker.serve("own-number", {
      ...WITHOUT_NETWORK,
      script,
      flags: ["--stop-signal", "37"],
    });
    await untilState("own-number", "ready");
    await own.kill("HUP");
    await marker();
    expect(stateOf("own-signal")).toBe("ready");
    await own.kill("QUIT");
    await untilState("own-signal", "drain", 1000);
    await numbered.kill("37");
    await untilState("own-number", "drain", 1000);
  });

  /** Waits until an event that came after all others is seen. */
  async function marker(): Promise<void> {
    const name = `marker${run.snapshots.length}`;
    await docker.serve(name, WITHOUT_NETWORK);
    await untilState(name, "ready");
  }
});

describe("waits", () => {
  test("while it is paused", async () => {
    const one = await docker.serve("pausing", WITHOUT_NETWORK);
    await untilState("pausing", "ready");
    await one.pause();
    await untilState("pausing", "paused");
    await one.unpause();
    await untilState("pausing", "ready");
  });

  test("until it is healthy, and whenever it is not", async () => {
    const script = "/bin/busybox sleep 1000";
    const health = [
      "--health-cmd",
      "/bin/busybox test -e /tmp-healthy",
      "--health-interval",
      "300ms",
      "--health-retries",
      "1",
    ];
    const one = await docker.serve("health", {
      ...WITHOUT_NETWORK,
      script,
      flags: [...health, "--health-start-period", "60s"],
    });
    await untilState("health", "waiting for healthy: starting");
    await one.exec("/bin/busybox", "touch", "/tmp-healthy");
    await untilState("health", "ready");
    await one.exec("/bin/busybox", "rm", "/tmp-healthy");
    await untilState("health", "waiting for healthy: Docker says unhealthy");
    await one.exec("/bin/busybox", "touch", "/tmp-healthy");
    await untilState("health", "ready");
    await one.pause();
    await untilState("health", "paused");
    await one.unpause();
    await untilState("health", "ready");
  });

  test("while it crashes and is restarted", async () => {
    const flags = ["--restart", "always"];
    await docker.serve("crashing", { ...WITHOUT_NETWORK, script: "/bin/busybox sleep 0.2; exit 1", flags });
    await untilState("crashing", "restarting");
  });
});

test("a new name is seen", async () => {
  const labels = { ...docker.labels("x", WITHOUT_NETWORK.labels) };
  delete labels[`${docker.prefix}.name`];
  const name = `first-${docker.lab.id}`;
  const flags = BUSYBOX;
  const one = await docker.lab.run({ name, labels, networks: ["none"], flags, command: ["sh", "-c", SLEEP] });
  await untilState(name, "ready");
  await one.rename(`second-${docker.lab.id}`);
  await untilState(`second-${docker.lab.id}`, "ready");
  expect(stateOf(name)).toBeUndefined();
});

test("pictures that are equal are not published again and again", async () => {
  const one = await docker.serve("quiet", WITHOUT_NETWORK);
  await untilState("quiet", "ready");
  await one.remove();
  await untilState("quiet", undefined);
  const repeated = run.snapshots.filter(
    ({ revision }, index) => revision === run.snapshots[index - 1]?.revision,
  );
  expect(repeated).toEqual([]);
});

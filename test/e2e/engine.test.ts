import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, startEngine } from "../../scripts/lab/engine.ts";
import { labPath } from "../../scripts/lab/lab-dir.ts";
import { dockerLab, type DockerLab, type TestContainer } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { startLoad } from "../support/load.ts";
import { type Stack, startStack } from "../support/stack.ts";

// HAProxy and Rollcall on the host, and an engine of our own that may be ended.
interface Scene extends AsyncDisposable {
  readonly engine: Engine;
  readonly lab: DockerLab;
  readonly stack: Stack;
}

async function scene(given: { name: string; liveRestore: boolean }): Promise<Scene> {
  await using cleanup = new AsyncDisposableStack();
  const engine = cleanup.use(await startEngine({ ...given, dir: labPath(given.name) }));
  const lab = await dockerLab(engine);
  const options = { docker: "on", "docker-host": engine.dockerHost };
  const stack = cleanup.use(await startStack({ version: "3.0", masterSocket: true, options }));
  const owned = cleanup.move();
  const made = { engine, lab, stack, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  for (const name of ["one", "two"]) await run(made, name);
  await untilServed(made, "one", "two");
  return made;
}

const run = ({ lab }: Scene, name: string): Promise<TestContainer> =>
  lab.run({
    env: { NAME: name },
    labels: { "rollcall.enable": "true", "rollcall.name": name },
    flags: ["--restart", "always"],
  });

/** Resolves when exactly these containers answer, by what they say in x-server. */
const untilServed = ({ stack }: Scene, ...names: readonly string[]): Promise<void> =>
  eventually(
    async () => {
      const found = new Set<string>();
      for (let request = 0; request < 10; request++) {
        const answer = await fetch(stack.url, { headers: { connection: "close" } });
        await answer.text();
        found.add(answer.headers.get("x-server") ?? String(answer.status));
      }
      expect([...found].toSorted()).toEqual(names.toSorted());
    },
    { timeoutMs: 60_000 },
  );

const untilDocker = ({ stack }: Scene, state: "live" | "down"): Promise<void> =>
  eventually(
    async () => {
      const { sources } = await stack.daemon.status();
      expect(sources.find(({ name }) => name === "docker")?.state).toBe(state);
    },
    { timeoutMs: 60_000 },
  );

async function underLoad({ stack }: Scene, work: () => Promise<void>): Promise<readonly unknown[]> {
  const load = startLoad({ url: stack.url, connections: 4, keepAlive: true, maxSeconds: 120 });
  try {
    await work();
  } finally {
    await load.stop();
  }
  expect(load.result.sent).toBeGreaterThan(50);
  figure("requests sent", load.result.sent);
  figure("requests failed", load.result.failed);
  return load.result.failures;
}

describe("an engine whose containers run on without it", () => {
  let own: Scene;
  beforeAll(async () => {
    own = await scene({ name: "e2e-engine-live", liveRestore: true });
  }, 300_000);
  afterAll(() => own?.[Symbol.asyncDispose](), 120_000);

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "takes no request with it when it is ended by %s, and is followed again when it is back",
    async (signal) => {
      const failures = await underLoad(own, async () => {
        await own.engine.stop(signal);
        await untilDocker(own, "down");
        const { text } = await own.stack.daemon.get("/readyz");
        expect(text).toMatch(/^ready\nnote: Source docker has been down.*its last picture stands/);
        await own.engine.start();
        await untilDocker(own, "live");
      });
      expect(failures).toEqual([]);
      const three = await run(own, "three");
      await untilServed(own, "one", "three", "two");
      await three.remove();
      await untilServed(own, "one", "two");
    },
  );

  it("is noticed when it hangs, and holds up nothing that comes from elsewhere", async () => {
    const { engine, stack } = own;
    const failures = await underLoad(own, async () => {
      engine.pause();
      await untilDocker(own, "down");
      await stack.etcd.put("/app/overrides/one", "drain");
      await untilServed(own, "two");
      await stack.etcd.del("/app/overrides/one");
      await untilServed(own, "one", "two");
      engine.resume();
      await untilDocker(own, "live");
    });
    expect(failures).toEqual([]);
  });
});

describe("an engine that takes its containers with it", () => {
  it("has them served again when it has started them again", async () => {
    await using own = await scene({ name: "e2e-engine", liveRestore: false });
    await own.engine.stop("SIGTERM");
    await untilServed(own, "503");
    await own.engine.start();
    await untilServed(own, "one", "two");
    await eventually(async () => expect((await own.stack.daemon.get("/readyz")).text).toMatch(/^ready\n?$/));
  });
});

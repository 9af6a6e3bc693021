import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { type ComposeProject, composeUp } from "../support/compose.ts";
import { followEvents } from "../support/docker-events.ts";
import { dockerLab } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { type Load, type LoadResult, startLoad } from "../support/load.ts";
import { startProber } from "../support/prober.ts";

// examples/agent: a load balancer with etcd alone, an agent with the engine's socket, an application with a label.
let engine: SharedEngine;
let stack: ComposeProject;
beforeAll(async () => {
  engine = await sharedEngine();
  stack = await composeUp({ engine, file: "examples/agent/compose.yml", flags: ["--scale", "app=10"] });
}, 300_000);
afterAll(() => stack?.[Symbol.asyncDispose](), 120_000);

/** Ten containers start at once, on a machine that may have little time for them. */
const WAIT = { timeoutMs: 120_000 };

/** What the containers call themselves. */
const apps = async (): Promise<string[]> => (await stack.ids("app")).map((id) => id.slice(0, 12));

/** Scales, and waits until exactly the containers that there are now answer. */
async function scale(count: number): Promise<void> {
  await stack.compose("up", "-d", "--no-recreate", "--scale", `app=${count}`);
  await untilServed(count);
}

async function untilServed(count: number): Promise<void> {
  const names = await eventually(async () => {
    const found = await apps();
    expect(found).toHaveLength(count);
    return found;
  });
  await stack.untilServed(names, { ...WAIT, requests: 3 * count });
}

/** Runs `work` under load of both kinds of client. */
async function underLoad(work: () => Promise<void>): Promise<readonly LoadResult[]> {
  const limits = { url: stack.url, connections: 4, maxSeconds: 240 };
  const loads: Load[] = [true, false].map((keepAlive) => startLoad({ ...limits, keepAlive }));
  try {
    await work();
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
  return loads.map(({ result }) => result);
}

const failuresOf = (results: readonly LoadResult[]): unknown[] => results.flatMap(({ failures }) => failures);
const sentOf = (results: readonly LoadResult[]): number => results.reduce((sum, { sent }) => sum + sent, 0);

describe("examples/agent", () => {
  it("serves ten containers without a Docker socket in the load balancer, in whatever order all started", async () => {
    await untilServed(10);
    await eventually(async () => expect(await stack.readyz()).toMatch(/^ready\n?$/), WAIT);
    await eventually(async () =>
      expect((await stack.status()).sources.map(({ name }) => name)).toEqual(["etcd"]),
    );
    expect(await stack.compose("exec", "-T", "lb", "sh", "-c", "ls /var/run/docker.sock || true")).toBe("");
  });

  it("is scaled to two and to ten again under load without a failed request", async () => {
    await untilServed(10);
    await using events = followEvents(engine, stack.name);
    const times: Times[] = [];
    const results = await underLoad(async () => {
      await scale(2);
      const before = await apps();
      await using prober = startProber(stack.url);
      await scale(10);
      for (const name of (await apps()).filter((one) => !before.includes(one))) {
        const seen = await events.of(name);
        const since = (at: number): number => at - seen.startedAt;
        const firstAt = performance.timeOrigin + (await prober.firstAnswer(name));
        times.push({ told: since(seen.toldAt), served: since(firstAt) });
      }
    });
    expect(failuresOf(results)).toEqual([]);
    process.stdout.write(
      `10 -> 2 -> 10 containers: 0 of ${sentOf(results)} requests failed\n${report(times)}\n`,
    );
  });

  it("loses no request that can be repeated with an application that shuts its port at once on SIGTERM", async () => {
    await scale(2);
    await using lab = await dockerLab(engine);
    const others = await apps();
    const abrupt = await lab.run({
      networks: [`${stack.name}_default`],
      env: { NAME: "abrupt", STOP: "abrupt" },
      labels: { "rollcall.enable": "true", "rollcall.name": "abrupt" },
    });
    const results = await underLoad(async () => {
      for (let time = 0; time < 2; time++) {
        await stack.untilServed([...others, "abrupt"], WAIT);
        await abrupt.stop();
        await stack.untilServed(others, WAIT);
        await abrupt.start();
      }
    });
    process.stdout.write(
      `abrupt end, twice: ${failuresOf(results).length} of ${sentOf(results)} GET requests failed\n`,
    );
    expect(failuresOf(results)).toEqual([]);
  });

  it("takes the host's servers out when the agent ends, and has them again when it is back", async () => {
    await scale(2);
    await stack.compose("stop", "agent");
    await stack.untilServed(["503"], WAIT);
    await stack.compose("start", "agent");
    await untilServed(2);
  });
});

/** Milliseconds since a container's start, as the engine has noted it. */
interface Times {
  readonly told: number;
  readonly served: number;
}

function report(times: readonly Times[]): string {
  const line = (what: string, values: readonly number[]): string => {
    const sorted = values.toSorted((a, b) => a - b);
    const [middle = 0, last = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
    return `  ${what}: median ${middle.toFixed(0)} ms, slowest ${last.toFixed(0)} ms`;
  };
  return [
    "from a container's start until",
    line(
      "Docker's own event of it",
      times.map(({ told }) => told),
    ),
    line(
      "its first response through HAProxy",
      times.map(({ served }) => served),
    ),
  ].join("\n");
}

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../../scripts/lab/docker-cli.ts";
import { imageNames } from "../../scripts/lab/images.ts";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import type { ServerJson } from "../../src/observe/status-json.ts";
import { type ComposeProject, composeUp } from "../support/compose.ts";
import { type ContainerOptions, dockerLab, type DockerLab, type TestContainer } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { freePort } from "../support/free-port.ts";
import { type LoadResult, startLoad } from "../support/load.ts";

// The load balancer of compose.dev.yml; each test adds containers of its own to its network.
let engine: SharedEngine;
let stack: ComposeProject;
let lab: DockerLab;
let front: string;
beforeAll(async () => {
  engine = await sharedEngine();
  stack = await composeUp({ engine, file: "compose.dev.yml", flags: ["--scale", "app=0"] });
  lab = await dockerLab(engine);
  front = `${stack.name}_default`;
}, 300_000);
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
}, 120_000);

/** A container that answers with `name`, and is Rollcall's unless the labels say something else. */
const run = (name: string, options: ContainerOptions = {}): Promise<TestContainer> =>
  lab.run({
    networks: [front],
    ...options,
    env: { NAME: name, ...options.env },
    labels: { "rollcall.enable": "true", "rollcall.name": name, ...options.labels },
  });

const served = (...names: string[]): Promise<void> => stack.untilServed(names);
/** All containers of the lab, those that run and those that do not, as flags of `docker rm`. */
const containers = async (): Promise<string[]> =>
  (await lab.docker("ps", "-aq", "--filter", `label=rollcall.test=${lab.id}`)).split("\n").filter(Boolean);

afterEach(async () => {
  const left = await containers();
  if (left.length > 0) await lab.docker("rm", "-f", ...left);
  // Not seen by requests: one for a container that has just gone waits for a connection to it.
  await eventually(async () => {
    expect((await stack.status()).quarantined).toEqual([]);
    expect(await stack.inHaproxy()).toEqual([]);
  });
});

async function underLoad(work: () => Promise<void>): Promise<LoadResult> {
  const load = startLoad({ url: stack.url, connections: 4, keepAlive: true, maxSeconds: 60 });
  try {
    await work();
  } finally {
    await load.stop();
  }
  figure("requests sent", load.result.sent);
  figure("requests failed", load.result.failed);
  return load.result;
}

async function servers(): Promise<readonly ServerJson[]> {
  return (await stack.status()).backends.flatMap((backend) => backend.servers);
}

/** Why an entry is not served, in the words of /api/status. */
const reasonOf = (container: TestContainer): Promise<string> =>
  eventually(async () => {
    const { quarantined, waiting } = await stack.status();
    const origin = container.id.slice(0, 12);
    const entry = [...quarantined, ...waiting].find((one) => one.origin.startsWith(origin));
    if (entry === undefined) throw new Error(`nothing is said of ${origin}`);
    return entry.reason;
  });

describe("a container that ends", () => {
  it("by docker stop takes no request with it", async () => {
    const one = await run("one");
    await run("two");
    await served("one", "two");
    const { failures, sent } = await underLoad(async () => {
      await one.stop();
      await served("two");
      await one.start();
      await served("one", "two");
    });
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(100);
  });

  it("by docker kill is out at once; requests that can be repeated are", async () => {
    const one = await run("one");
    await run("two");
    await served("one", "two");
    const { failures } = await underLoad(async () => {
      await one.kill();
      await served("two");
    });
    expect(failures).toEqual([]);
  });

  it.each(["HUP", "USR1", "WINCH"])("is not meant by docker kill -s %s", async (signal) => {
    const command = ["--entrypoint", "/bin/busybox"];
    const script = `trap : HUP USR1 WINCH; mkdir -p /www; echo x > /www/index.html; busybox httpd -f -p 8000 -h /www & while :; do wait; done`;
    const one = await run("one", { flags: command, command: ["sh", "-c", script] });
    await stack.untilServed(["200"]);
    await one.kill(signal);
    // What happened later is seen, so the signal was too.
    await run("two");
    await eventually(async () => expect((await servers()).map(({ name }) => name)).toEqual(["one", "two"]));
    expect((await servers()).map(({ state }) => state)).toEqual(["ready", "ready"]);
  });
});

describe("a container that is not fit", () => {
  it("is out while it is paused", async () => {
    const one = await run("one");
    await run("two");
    await served("one", "two");
    await one.pause();
    await served("two");
    expect(await reasonOf(one)).toMatch(/paused/);
    await one.unpause();
    await served("one", "two");
  });

  it("is out while its health check fails, and comes in only when it is healthy", async () => {
    const one = await run("one", { healthcheck: true });
    await run("two");
    await served("one", "two");
    await one.post("/fail");
    await served("two");
    expect(await reasonOf(one)).toMatch(/unhealthy/);
    await one.post("/heal");
    await served("one", "two");
  });

  it("with several ports and no label is refused with the reason, never guessed", async () => {
    const flags = ["--expose", "9000"];
    const one = await run("one", { flags });
    await run("two", { flags, labels: { "rollcall.port": "8000" } });
    await served("two");
    expect(await reasonOf(one)).toMatch(/port/);
    expect(await stack.readyz()).toMatch(/quarantined.*docker 1/);
  });
});

describe("the network", () => {
  it("is the one shared with the load balancer; without one a container is refused", async () => {
    const other = await lab.network();
    const both = await run("both", { networks: [other, front] });
    const alone = await run("alone", { networks: [other] });
    await served("both");
    expect((await servers()).map(({ address }) => address)).toEqual([`${await both.ip(front)}:8000`]);
    expect(await reasonOf(alone)).toMatch(/shares no network with Rollcall/);
    await alone.connect(front);
    await served("alone", "both");
    await both.disconnect(front);
    await served("alone");
    await both.connect(front);
    await served("alone", "both");
  });

  it("may be the host's, with the label that says so", async () => {
    const port = String(await freePort());
    const options = { networks: ["host"], env: { PORT: port } };
    const silent = await run("silent", {
      ...options,
      env: { PORT: String(await freePort()) },
      labels: { "rollcall.port": port },
    });
    await run("told", {
      ...options,
      labels: { "rollcall.port": port, "rollcall.address": "host" },
    });
    await served("told");
    expect(await reasonOf(silent)).toMatch(/on the host's network.*rollcall\.address/);
  });
});

describe("a hundred containers", () => {
  it("that come at once are all served, and gone when they go", async () => {
    const script = "mkdir /www; hostname > /www/index.html; exec busybox httpd -f -p 8000 -h /www";
    const flags = ["--entrypoint", "/bin/busybox", "--network", front, "--label", "rollcall.enable=true"];
    const mark = ["--label", `rollcall.test=${lab.id}`, imageNames.app];
    const startedAt = performance.now();
    const start = (n: number): Promise<string> =>
      docker(engine, "run", "-d", "--name", `${stack.name}-c${n}`, ...flags, ...mark, "sh", "-c", script);
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const ids: string[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let n = numbers.pop(); n !== undefined; n = numbers.pop()) ids.push(await start(n));
      }),
    );
    const runningAt = performance.now();
    const names = new Set<string>();
    await eventually(
      async () => {
        for (let request = 0; request < 100; request++)
          names.add((await (await fetch(stack.url)).text()).trim());
        expect(ids.filter((id) => !names.has(id.slice(0, 12)))).toEqual([]);
      },
      { timeoutMs: 60_000 },
    );
    const [up, all] = [runningAt - startedAt, performance.now() - runningAt].map((ms) =>
      (ms / 1000).toFixed(1),
    );
    process.stdout.write(`100 containers: started in ${up} s, all had answered ${all} s later\n`);
    expect((await stack.status()).quarantined).toEqual([]);
    await docker(engine, "rm", "-f", ...ids);
    await eventually(async () => expect(await stack.inHaproxy()).toEqual([]));
    await served("503");
  });
});

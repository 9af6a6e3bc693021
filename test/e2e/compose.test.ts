import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../../scripts/lab/docker-cli.ts";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { type ComposeProject, composeUp } from "../support/compose.ts";
import { dockerLab } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { type Load, startLoad } from "../support/load.ts";

// One stack for all: each test brings it to the scale that it needs.
let engine: SharedEngine;
let stack: ComposeProject;
let upMs = 0;
beforeAll(async () => {
  engine = await sharedEngine();
  const startedAt = performance.now();
  stack = await composeUp({ engine, file: "compose.dev.yml", flags: ["--scale", "app=3"] });
  upMs = performance.now() - startedAt;
}, 300_000);
afterAll(() => stack?.[Symbol.asyncDispose](), 120_000);

/** What a container calls itself. */
const nameOf = (id: string): string => id.slice(0, 12);
const apps = async (): Promise<string[]> => (await stack.ids("app")).map(nameOf);

/** Scales, and waits until exactly the containers that there are now answer. */
async function scale(count: number): Promise<readonly string[]> {
  await stack.compose("up", "-d", "--no-recreate", "--scale", `app=${count}`);
  const ids = await stack.ids("app");
  expect(ids).toHaveLength(count);
  await stack.untilServed(ids.map(nameOf));
  return ids;
}

/** Runs `work` under load of both kinds of client, and resolves with what failed. */
async function underLoad(work: () => Promise<void>): Promise<{ failures: unknown[]; sent: number }> {
  const limits = { url: stack.url, connections: 4, maxSeconds: 120 };
  const loads: Load[] = [
    startLoad({ ...limits, keepAlive: true }),
    startLoad({ ...limits, keepAlive: false }),
  ];
  try {
    await work();
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
  const results = loads.map(({ result }) => result);
  return {
    failures: results.flatMap(({ failures }) => failures),
    sent: Math.min(...results.map(({ sent }) => sent)),
  };
}

const act = (...args: string[]): Promise<string> => docker(engine, ...args);
const etcdctl = (...args: string[]): Promise<string> =>
  stack.compose("exec", "-T", "etcd", "etcdctl", ...args);

describe("compose.dev.yml", () => {
  it("serves three containers a few seconds after up --build --scale app=3", async () => {
    const upAt = performance.now();
    await stack.untilServed(await apps());
    expect((await apps()).length).toBe(3);
    const seconds = [upMs, performance.now() - upAt].map((ms) => (ms / 1000).toFixed(1));
    process.stdout.write(`compose up took ${seconds[0]} s, all three answered ${seconds[1]} s later\n`);
    expect(performance.now() - upAt).toBeLessThan(15_000);
  });

  it("reaches them over the network that they share with the load balancer", async () => {
    const status = await stack.status();
    expect(status).toMatchObject({ ready: true, quarantined: [], waiting: [] });
    const servers = status.backends.flatMap((backend) => backend.servers);
    const addresses = await Promise.all(
      (await stack.ids("app")).map((id) =>
        act("inspect", "-f", `{{(index .NetworkSettings.Networks "${stack.name}_default").IPAddress}}`, id),
      ),
    );
    expect(servers.map(({ name }) => name)).toEqual(["app-1", "app-2", "app-3"]);
    expect(servers.map(({ address }) => address)).toEqual(addresses.map((address) => `${address}:8000`));
  });

  it("follows the scale up to five, and down to two under load without a failed request", async () => {
    await scale(5);
    const { failures, sent } = await underLoad(() => scale(2).then(() => undefined));
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(100);
  });

  it("loses no request when a container is stopped, and serves it again when it is started", async () => {
    const [first = "", ...others] = await scale(3);
    const { failures } = await underLoad(async () => {
      await act("stop", first);
      await stack.untilServed(others.map(nameOf));
      await act("start", first);
      await stack.untilServed([first, ...others].map(nameOf));
    });
    expect(failures).toEqual([]);
  });

  it("loses no request when Rollcall is killed, and follows what happened meanwhile", async () => {
    await scale(3);
    const kill =
      "for p in /proc/[0-9]*; do grep -q '[m]ain.ts' $p/cmdline && kill -9 ${p#/proc/}; done; true";
    const { failures } = await underLoad(async () => {
      await stack.compose("exec", "-T", "lb", "sh", "-c", kill);
      await expect(stack.readyz()).rejects.toThrow();
      await scale(4);
    });
    expect(failures).toEqual([]);
  });

  it("takes servers and overrides from etcd beside those from Docker", async () => {
    const containers = (await scale(3)).map(nameOf);
    const [id, outsider] = await unlabelled();
    try {
      await etcdctl("put", "/app/servers/extra", `${outsider}:8000`);
      await stack.untilServed([...containers, nameOf(id)]);
      await etcdctl("put", "/app/overrides/app-2", "drain");
      await stack.untilServed([...containers.filter((_, n) => n !== 1), nameOf(id)]);
      await etcdctl("del", "/app/overrides/app-2");
      await etcdctl("del", "/app/servers/extra");
      await stack.untilServed(containers);
    } finally {
      await act("rm", "-f", id);
    }
  });

  it("serves from the last configuration when it starts while etcd and the engine are away", async () => {
    const containers = (await scale(3)).map(nameOf);
    await stack.compose("stop", "-t", "1", "etcd", "socket-proxy");
    try {
      await stack.compose("restart", "lb");
      await stack.untilServed(containers, { timeoutMs: 5000 });
      expect(await eventually(() => stack.readyz())).toMatch(/^not ready\n.*has not answered/);
    } finally {
      await stack.compose("start", "etcd", "socket-proxy");
    }
    await eventually(async () => expect(await stack.readyz()).toMatch(/^ready\n?$/), { timeoutMs: 40_000 });
    expect(await stack.served()).toEqual(containers.toSorted());
  });

  it("lets Rollcall ask the engine what it needs, and nobody anything else", async () => {
    const ask = (service: string, method: string, path: string): Promise<string> => {
      const script = `fetch("http://socket-proxy:2375${path}", { method: "${method}" })
        .then((answer) => console.log(answer.status), (error) => console.log(error.cause.code))
        .then(() => process.exit());`;
      return stack.compose("exec", "-T", service, "node", "-e", script);
    };
    expect(await ask("lb", "GET", "/_ping")).toBe("200");
    expect(await ask("lb", "GET", "/v1.41/containers/json")).toBe("200");
    for (const path of ["/containers/create", "/v1.41/containers/0123456789ab/stop", "/_ping"])
      expect(await ask("lb", "POST", path)).toBe("403");
    for (const path of [
      "/images/json",
      "/containers/0123456789ab/logs",
      "/_ping/../images/json",
      "/events/x",
    ])
      expect(await ask("lb", "GET", path)).toBe("403");
    expect(await ask("app", "GET", "/_ping")).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  it("ends the load balancer softly: an open request is finished, and its exit code is HAProxy's", async () => {
    await scale(2);
    await using lab = await dockerLab(engine);
    const labels = { "rollcall.enable": "true", "rollcall.backend": "slow", "rollcall.path": "/slow" };
    await lab.run({ labels, networks: [`${stack.name}_default`] });
    const slow = (): Promise<Response> =>
      fetch(`${stack.url}/slow?ms=6000`, { headers: { connection: "close" } });
    await eventually(async () => expect(await stack.readyz()).toMatch(/^ready\n?$/));
    // A stop signal that comes in the middle of a reload is lost by HAProxy: no change may be under way.
    await eventually(
      async () => {
        const { applied, backends } = await stack.status();
        expect(backends.map(({ name, servers }) => `${name} ${servers.length}`)).toEqual([
          "slow 1",
          "webserver 2",
        ]);
        expect(applied?.ageSeconds).toBeGreaterThanOrEqual(2);
      },
      { timeoutMs: 30_000 },
    );
    const open = slow();
    await eventually(async () => {
      const stats = await (
        await fetch(`${stack.url}/haproxy-stats;csv`, { headers: { connection: "close" } })
      ).text();
      expect(/^slow,BACKEND,\d+,\d+,(\d+),/m.exec(stats)?.[1]).toBe("1");
    });
    await stack.compose("stop", "lb");
    expect((await open).status).toBe(200);
    expect(await stack.compose("ps", "-a", "--format", "{{.State}} {{.ExitCode}}", "lb")).toBe("exited 0");
    await stack.compose("start", "lb");
    await stack.untilServed(await apps());
  });
});

/** Another container of the application, without a label: its id and address. */
async function unlabelled(): Promise<[string, string]> {
  const network = `${stack.name}_default`;
  const id = await act("run", "-d", "--network", network, `${stack.name}-app`);
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  return [id, await act("inspect", "-f", format, id)];
}

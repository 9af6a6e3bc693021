import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestContainer } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import type { Host } from "../support/host.ts";
import { type Hosts, startHosts } from "../support/hosts.ts";
import { type LoadResult, startLoad } from "../support/load.ts";
import { whoAnswers } from "../support/prober.ts";
import { runningServers } from "../support/running-servers.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { type StoredKey, storedKeys } from "../support/stored-keys.ts";

// Three hosts with an agent and two containers each, and a load balancer that knows etcd and nothing else. Each test
// leaves all of it as it was. Host b's agent is the one that is started again, so it has the long lease.
const SHORT = "6s";
/** Longer than an agent takes to start again, however slow the machine. */
const LONG = "30s";
const SERVERS = "/app/servers/";
/** The last but one is a container of host b that asks for the name of the last, which was written by hand. */
const ALL = ["a1", "a2", "b1", "b2", "c1", "c2", "by-hand-b", "by-hand"];
const CLIENTS = 8;
let hosts: Hosts;
let stack: Stack;
let manual: ReadonlyMap<string, StoredKey>;
const containers = new Map<string, TestContainer>();

beforeAll(async () => {
  hosts = await startHosts(["a", "b", "c"]);
  stack = await startStack({ version: "3.2", masterSocket: true, etcd: hosts.etcd });
  await stack.app("by-hand");
  await hosts.etcd.put(`${SERVERS}spare/far`, "127.0.0.9:9 weight=0 check=off");
  manual = await storedKeys(hosts.etcd, SERVERS);
  for (const host of hosts.all) {
    for (const name of [`${host.name}1`, `${host.name}2`]) await run(host, name);
    if (host.name === "b") await run(host, "by-hand-b", "by-hand");
    await startAgent(host);
  }
}, 300_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await hosts?.[Symbol.asyncDispose]();
}, 120_000);

beforeEach(async () => {
  await untilRegistered(byAgents(ALL));
  await untilServed(ALL);
}, 120_000);
afterEach(async () => {
  expect(await manualKeys()).toEqual(manual);
});

async function run(host: Host, name: string, label = name): Promise<void> {
  // Asked often, so that HAProxy soon knows that a server is gone.
  const check = { "rollcall.check.interval": "500ms", "rollcall.check.fall": "2" };
  const labels = { "rollcall.enable": "true", "rollcall.name": label, ...check };
  containers.set(name, await host.lab.run({ env: { NAME: name }, labels, flags: ["-p", "8000"] }));
}

const startAgent = (host: Host): Promise<void> =>
  host.startAgent({ "lease-ttl": host.name === "b" ? LONG : SHORT });

const container = (name: string): TestContainer => {
  const found = containers.get(name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  return found;
};

const manualKeys = async (): Promise<ReadonlyMap<string, StoredKey>> =>
  new Map([...(await storedKeys(hosts.etcd, SERVERS))].filter(([key]) => manual.has(key)));

/** Names of the servers that are registered on a lease. */
const registered = async (): Promise<string[]> =>
  [...(await storedKeys(hosts.etcd, SERVERS))]
    .filter(([, { lease }]) => lease !== "0")
    .map(([key]) => key.slice(SERVERS.length));

const untilRegistered = (names: readonly string[]): Promise<void> =>
  eventually(async () => expect(await registered()).toEqual(names.toSorted()), { timeoutMs: 60_000 });

const but = (...gone: readonly string[]): string[] => ALL.filter((name) => !gone.includes(name));
const byAgents = (names: readonly string[]): string[] => names.filter((name) => name !== "by-hand");

/** Resolves when HAProxy gives requests to exactly these, and each of them has answered one. */
const untilServed = async (names: readonly string[]): Promise<void> => {
  const silent = new Set(names);
  await eventually(
    async () => {
      const servers = (await runningServers(stack.haproxy)).filter(
        ({ weight, maint, drain }) => weight > 0 && !maint && !drain,
      );
      expect(servers.map(({ name }) => name)).toEqual(names.toSorted());
      silent.delete(await whoAnswers(stack.url));
      expect([...silent]).toEqual([]);
    },
    { timeoutMs: 60_000 },
  );
};

/** Resolves when the load balancer says of exactly these that they vanished and are served on. */
const untilHeld = (names: readonly string[]): Promise<void> =>
  eventually(
    async () => {
      const { held } = await stack.daemon.status();
      expect(held.map(({ name }) => name).toSorted()).toEqual(names);
    },
    { timeoutMs: 60_000 },
  );

/** Requests are sent all the while, and HAProxy never has two servers with one address. */
async function underLoad(work: (load: LoadResult) => Promise<void>): Promise<LoadResult> {
  const limits = { maxSeconds: 240, timeoutMs: 30_000 };
  const load = startLoad({ url: stack.url, connections: CLIENTS, keepAlive: true, ...limits });
  const done = new AbortController();
  const twice = addressesSeenTwice(done.signal);
  try {
    await work(load.result);
  } finally {
    done.abort();
    await load.stop();
  }
  expect(await twice).toEqual([]);
  figure("requests sent", load.result.sent);
  figure("requests failed", load.result.failed);
  return load.result;
}

/** Looks again and again until `signal` aborts. */
async function addressesSeenTwice(signal: AbortSignal): Promise<readonly string[]> {
  const twice = new Set<string>();
  while (!signal.aborted) {
    const seen = new Set<string>();
    // A list that changed while it was read is no list.
    for (const { address, port } of await runningServers(stack.haproxy).catch(() => [])) {
      if (seen.has(`${address}:${port}`)) twice.add(`${address}:${port}`);
      seen.add(`${address}:${port}`);
    }
    await sleep(50);
  }
  return [...twice];
}

/** Resolves when each of these has answered requests of the load that were sent from now on. */
async function untilAnswered({ byServer }: LoadResult, names: readonly string[]): Promise<void> {
  const before = new Map(byServer);
  await eventually(
    () => {
      for (const name of names)
        expect(byServer.get(name) ?? 0, name).toBeGreaterThan((before.get(name) ?? 0) + 2);
    },
    { timeoutMs: 60_000 },
  );
}

describe("a host that is cut off from etcd for longer than its lease", () => {
  it("is served on, and has the same keys as before when it is back", async () => {
    const a = hosts.of("a");
    const before = await storedKeys(hosts.etcd, SERVERS);
    const load = await underLoad(async (result) => {
      await a.cutFromEtcd();
      try {
        await untilRegistered(byAgents(but("a1", "a2")));
        await untilHeld(["a1", "a2"]);
        await untilAnswered(result, ALL);
        // What happens elsewhere goes on as ever.
        await container("b2").stop();
        await untilServed(but("b2"));
        await container("b2").start();
        await untilServed(ALL);
      } finally {
        await a.reachEtcd();
      }
      await untilRegistered(byAgents(ALL));
      await untilHeld([]);
      await untilServed(ALL);
    });
    expect(load.failures).toEqual([]);
    const after = await storedKeys(hosts.etcd, SERVERS);
    for (const name of ["a1", "a2"])
      expect(after.get(SERVERS + name)?.value).toBe(before.get(SERVERS + name)?.value);
  });
});

describe("an agent that is killed", () => {
  it("writes one key when it is back, and no request is lost", async () => {
    const b = hosts.of("b");
    const before = await storedKeys(hosts.etcd, "/app/");
    const revision = await hosts.etcd.revision();
    const load = await underLoad(async (result) => {
      await b.agent.kill("SIGKILL");
      await b.agent.restart();
      await untilReady(b);
      await untilAnswered(result, ALL);
    });
    expect(load.failures).toEqual([]);
    const after = await storedKeys(hosts.etcd, "/app/");
    const changed = [...after].filter(
      ([key, { modRevision }]) => before.get(key)?.modRevision !== modRevision,
    );
    expect(changed.map(([key]) => key)).toEqual(["/app/owners/@b"]);
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(await hosts.etcd.revision()).toBe(revision + 1);
  });

  it("takes out what was removed while it was away, and nothing else", async () => {
    const b = hosts.of("b");
    const load = await underLoad(async () => {
      await b.agent.kill("SIGKILL");
      await container("b2").stop();
      await container("b2").remove();
      await b.agent.restart();
      await untilRegistered(byAgents(but("b2")));
      await untilServed(but("b2"));
      await run(b, "b2");
      await untilServed(ALL);
    });
    expect(load.failures).toEqual([]);
  });
});

describe("a host that burns", () => {
  it("takes nothing with it but its own servers, and is served again when it is back", async () => {
    const c = hosts.of("c");
    const load = await underLoad(async (result) => {
      const burntAt = performance.now();
      await c.burn();
      await untilRegistered(byAgents(but("c1", "c2")));
      await untilServed(but("c1", "c2"));
      await eventually(
        async () => {
          const names = (await runningServers(stack.haproxy)).map(({ name }) => name);
          expect(names).not.toEqual(expect.arrayContaining([expect.stringMatching(/^c/)]));
        },
        { timeoutMs: 60_000 },
      );
      const seconds = ((performance.now() - burntAt) / 1000).toFixed(1);
      process.stdout.write(
        `host burnt: ${result.failed} of ${result.sent} requests lost, the slowest took ${Math.round(result.slowestMs)} ms; its servers were gone after ${seconds} s\n`,
      );
    });
    await c.engine.start();
    for (const name of ["c1", "c2"]) await container(name).start();
    await startAgent(c);
    await untilServed(ALL);
    // Mostly none: HAProxy asks another server. But it may choose a dead one again and again until it knows.
    expect(load.failed, JSON.stringify(load.failures)).toBeLessThanOrEqual(CLIENTS);
  });
});

describe("agents that are ended", () => {
  it("leave nothing behind but what was written by hand", async () => {
    const load = await underLoad(async () => {
      for (const { agent } of hosts.all) agent.kill("SIGTERM").catch(() => undefined);
      // The long lease would end later.
      await eventually(async () => expect(await storedKeys(hosts.etcd, "/app/")).toEqual(manual), {
        timeoutMs: 25_000,
      });
      await untilServed(["by-hand"]);
    });
    expect(load.failures).toEqual([]);
    for (const host of hosts.all) await startAgent(host);
    await untilServed(ALL);
  });
});

async function untilReady({ agent, name }: Host): Promise<void> {
  await eventually(
    async () => {
      const { code, text } = await agent.get("/readyz");
      expect(code, `agent of ${name}: ${text}`).toBe(200);
    },
    { timeoutMs: 60_000 },
  );
}

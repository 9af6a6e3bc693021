import { describe, expect, test } from "vitest";
import { putMany } from "../support/etcd-bulk.ts";
import { startEtcdCluster } from "../support/etcd-cluster.ts";
import { startEtcd, type EtcdOptions, type EtcdServer } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { followEtcd, type EtcdFollower } from "../support/follow-etcd.ts";
import { freePort } from "../support/free-port.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** A silent peer is noticed by keepalive (13 s) or by the probe (15 s). */
const NOTICED_MS = 30_000;
/** The longest pause between two attempts is 7.5 s, a silent host costs 3 s more. */
const RECOVERED_MS = 20_000;

const put = (etcd: EtcdServer, name: string): Promise<number> =>
  etcd.put(`/app/servers/${name}`, "10.0.0.1:80");
const until = (follower: EtcdFollower, names: readonly string[], timeoutMs = RECOVERED_MS): Promise<void> =>
  eventually(() => expect(follower.names()).toEqual(names), { timeoutMs });
const untilBroken = (follower: EtcdFollower, reason: RegExp): Promise<void> =>
  eventually(() => expect(follower.breaks.join("\n")).toMatch(reason), { timeoutMs: NOTICED_MS });

interface Scene extends AsyncDisposable {
  readonly etcd: EtcdServer;
  readonly proxy: TcpProxy;
  readonly follower: EtcdFollower;
}

/** An etcd with one server in it, followed through a proxy. */
async function scene(options: EtcdOptions = {}): Promise<Scene> {
  const etcd = await startEtcd(options);
  const proxy = await startTcpProxy(etcd.port);
  await put(etcd, "web1");
  const follower = followEtcd({ endpoints: [proxy.address], watch: ["/app/config"] });
  await until(follower, ["web1"]);
  return {
    etcd,
    proxy,
    follower,
    async [Symbol.asyncDispose]() {
      for (const part of [follower, proxy, etcd]) await part[Symbol.asyncDispose]();
    },
  };
}

describe.concurrent("the etcd source survives", () => {
  test.for(["3.4", "3.5"] as const)(
    "SIGKILL and a restart of etcd %s, with changes meanwhile",
    async (version) => {
      await using set = await scene({ version });
      const { etcd, proxy, follower } = set;
      await etcd.kill("SIGKILL");
      await untilBroken(follower, /connection lost|connection refused/);
      expect(follower.names()).toEqual(["web1"]);
      await proxy.refuse();
      await etcd.restart();
      await etcd.del("/app/servers/web1");
      await put(etcd, "web2");
      await proxy.pass();
      await until(follower, ["web2"]);
      await put(etcd, "web3");
      await until(follower, ["web2", "web3"]);
    },
  );

  test("an etcd that is stopped, and says nothing any more", async () => {
    await using set = await scene();
    const { etcd, follower } = set;
    etcd.pause();
    await untilBroken(follower, /connection lost|no answer in time/);
    await untilBroken(follower, /no answer in time/);
    expect(follower.names()).toEqual(["web1"]);
    etcd.resume();
    await put(etcd, "web2");
    await until(follower, ["web1", "web2"]);
  });

  test("a network that swallows everything", async () => {
    await using set = await scene();
    const { etcd, proxy, follower } = set;
    proxy.blackhole();
    await put(etcd, "web2");
    await untilBroken(follower, /connection lost|no answer in time/);
    expect(follower.names()).toEqual(["web1"]);
    proxy.cut();
    await proxy.pass();
    await until(follower, ["web1", "web2"]);
  });

  test("a history that was thrown away while it was not there", async () => {
    await using set = await scene();
    const { etcd, proxy, follower } = set;
    await proxy.refuse();
    proxy.cut();
    await untilBroken(follower, /connection refused/);
    for (const name of ["web2", "web3", "web2"]) await put(etcd, name);
    await etcd.del("/app/servers/web1");
    await etcd.compact();
    await proxy.pass();
    await until(follower, ["web2", "web3"]);
    expect(follower.sizes.filter((size) => size === 0)).toEqual([]);
  });

  test("an etcd that is not there at first", async () => {
    const port = await freePort();
    await using follower = followEtcd({ endpoints: [`127.0.0.1:${port}`] });
    await untilBroken(follower, /^etcd http:\/\/127\.0\.0\.1:\d+: connection refused$/);
    expect(follower.names()).toBeNull();
    await using etcd = await startEtcd({ port });
    await put(etcd, "web1");
    await until(follower, ["web1"]);
  });

  test("cuts in the middle of five thousand changes, and never shows a part of them as all", async () => {
    await using set = await scene();
    const { etcd, proxy, follower } = set;
    const names = Array.from({ length: 5000 }, (_, n) => `web${n}`);
    const entries = names.map((name) => [`/app/servers/${name}`, "10.0.0.1:80"] as const);
    await proxy.refuse();
    proxy.cut();
    await putMany(etcd, entries.slice(0, 2500));
    await proxy.pass();
    const writing = putMany(etcd, entries.slice(2500));
    for (let cut = 0; cut < 6; cut++) {
      const pictures = follower.sizes.length;
      // In turn: as soon as it is connected, in the list, and as soon as it has shown something, in the watch.
      const moved = (): boolean => (cut % 2 === 0 ? proxy.connections > 0 : follower.sizes.length > pictures);
      await eventually(() => expect(moved()).toBe(true), { timeoutMs: RECOVERED_MS, everyMs: 2 });
      proxy.cut();
      await eventually(() => expect(follower.breaks.length).toBeGreaterThan(cut));
    }
    await writing;
    await until(follower, names.toSorted());
    expect(follower.breaks.length).toBeGreaterThan(2);
    expect(follower.sizes).toEqual(follower.sizes.toSorted((a, b) => a - b));
  });

  test("six megabytes of values, listed and watched", async () => {
    await using set = await scene();
    const { etcd, proxy, follower } = set;
    const value = "x".repeat(60_000);
    const found = () => [...follower.keys()].filter(([key]) => key.startsWith("/app/config/"));
    const entries = (folder: string) =>
      Array.from({ length: 100 }, (_, n) => [`/app/config/${folder}/${n}`, value] as const);
    await putMany(etcd, entries("watched"));
    await eventually(() => expect(found()).toHaveLength(100));
    await proxy.refuse();
    proxy.cut();
    await putMany(etcd, entries("listed"));
    await proxy.pass();
    await eventually(() => expect(found()).toHaveLength(200), { timeoutMs: RECOVERED_MS });
    expect(found().every(([, one]) => one === value)).toBe(true);
  });
});

describe.concurrent("with three members, the etcd source", () => {
  test("says that there is no leader when two are stopped, and recovers with the majority", async () => {
    await using cluster = await startEtcdCluster();
    const [first, ...others] = cluster.members;
    if (first === undefined) throw new Error("no member");
    await put(first, "web1");
    await using follower = followEtcd({ endpoints: [first.endpoint] });
    await until(follower, ["web1"]);
    for (const other of others) other.pause();
    await untilBroken(follower, /no leader: the cluster has lost its majority/);
    expect(follower.names()).toEqual(["web1"]);
    for (const other of others) other.resume();
    await eventually(() => put(first, "web2"), { timeoutMs: RECOVERED_MS });
    await until(follower, ["web1", "web2"]);
  });

  test("goes to another one when its own is silent", async () => {
    await using cluster = await startEtcdCluster();
    const [first, second] = cluster.members;
    if (first === undefined || second === undefined) throw new Error("no member");
    await put(first, "web1");
    await using follower = followEtcd({ endpoints: cluster.endpoints, random: () => 0 });
    await until(follower, ["web1"]);
    first.pause();
    await eventually(() => put(second, "web2"), { timeoutMs: RECOVERED_MS });
    await until(follower, ["web1", "web2"], NOTICED_MS);
    expect(follower.breaks).toHaveLength(1);
    expect(follower.breaks[0]).toContain(first.endpoint);
  });
});

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type EtcdServer, startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { publication, startRegistrar, type TestRegistrar } from "../support/test-registrar.ts";

let etcd: EtcdServer;
const running: TestRegistrar[] = [];

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(async () => etcd[Symbol.asyncDispose]());
afterEach(async () => {
  for (const one of running.splice(0)) await one[Symbol.asyncDispose]();
  await etcd.ctl("del", "/app/", "--prefix");
});

const WEB1 = publication("aa", "web-1", "127.0.0.1:8001");
const WEB2 = publication("bb", "web-2", "127.0.0.1:8002");
const API1 = publication("cc", "x-1", "127.0.0.1:8003 weight=5", "api");

const owner = (container: string, host = "a"): string =>
  JSON.stringify({ host, container: container.padEnd(12, "0") });

function start(host = "a", options: Parameters<typeof startRegistrar>[0]["options"] = {}): TestRegistrar {
  const made = startRegistrar({ endpoints: [`http://${etcd.endpoint}`], host, options });
  running.push(made);
  return made;
}

const servers = (): Promise<Record<string, string>> => etcd.list("/app/servers/");

async function untilServers(wanted: Readonly<Record<string, string>>, timeoutMs = 20_000): Promise<void> {
  await eventually(async () => expect(await servers()).toEqual(wanted), { timeoutMs });
}

interface Stored {
  readonly lease: string;
  readonly modRevision: number;
}
async function stored(key: string): Promise<Stored> {
  // As text: a lease is a number of 64 bits.
  const answer = await etcd.ctl("get", key, "-w", "fields");
  const field = (name: string): string | undefined =>
    new RegExp(`^"${name}" : ([0-9]+)$`, "m").exec(answer)?.[1];
  const modRevision = field("ModRevision");
  if (modRevision === undefined) throw new Error(`there is no ${key}`);
  return { lease: field("Lease") ?? "0", modRevision: Number(modRevision) };
}

test("servers come, change and go, all on one lease, and those that go are drained first", async () => {
  const { want } = start();
  want([WEB1, API1]);
  await untilServers({ "/app/servers/web-1": "127.0.0.1:8001", "/app/servers/api/x-1": API1.value });
  const owners = await etcd.list("/app/owners/");
  expect(owners["/app/owners/web-1"]).toBe(owner("aa"));
  expect(owners["/app/owners/api/x-1"]).toBe(owner("cc"));
  const leases = await Promise.all(
    ["/app/owners/@a", "/app/owners/web-1", "/app/servers/web-1", "/app/servers/api/x-1"].map(stored),
  );
  expect(new Set(leases.map(({ lease }) => lease)).size).toBe(1);
  expect(leases[0]?.lease).not.toBe("0");

  const before = await etcd.revision();
  want([API1]);
  await untilServers({ "/app/servers/api/x-1": API1.value });
  expect(await etcd.history("/app/servers/web-1", before + 1)).toEqual(["127.0.0.1:8001 state=drain", null]);
  expect(await etcd.get("/app/owners/web-1")).toBeUndefined();
});

test("nothing is written before the engine has answered, and nothing twice", async () => {
  const { registrar, want } = start();
  await eventually(() => expect(registrar.status().state).toBe("waiting"));
  expect(await etcd.list("/app/")).toEqual({});
  want([WEB1]);
  await eventually(() => expect(registrar.status()).toMatchObject({ state: "registering", published: 1 }));
  await untilServers({ "/app/servers/web-1": WEB1.value });
  await eventually(() => expect(registrar.status().endpoint).not.toBeNull());
  const revision = await etcd.revision();
  want([WEB1]);
  want([{ ...WEB1 }]);
  want([WEB1, WEB2]);
  await untilServers({ "/app/servers/web-1": WEB1.value, "/app/servers/web-2": WEB2.value });
  expect(await etcd.revision()).toBe(revision + 1);
});

test("a manual key wins: it is never written, and the container's server gets another name", async () => {
  await etcd.put("/app/servers/web-1", "127.0.0.1:9999");
  const before = await stored("/app/servers/web-1");
  const { registrar, want } = start();
  want([WEB1]);
  await untilServers({ "/app/servers/web-1": "127.0.0.1:9999", "/app/servers/web-1-a": WEB1.value });
  await eventually(() =>
    expect(registrar.status().doubts).toMatchObject([{ name: "web-1-a", why: "taken" }]),
  );
  want([]);
  await untilServers({ "/app/servers/web-1": "127.0.0.1:9999" });
  expect(await stored("/app/servers/web-1")).toEqual(before);
});

test("the default backend's other way of writing a key counts too", async () => {
  await etcd.put("/app/servers/webserver/web-1", "127.0.0.1:9999");
  start().want([WEB1]);
  await untilServers({
    "/app/servers/webserver/web-1": "127.0.0.1:9999",
    "/app/servers/web-1-a": WEB1.value,
  });
});

test("an operator who writes over a key has it, and gives it back by deleting it", async () => {
  const { want } = start();
  want([WEB1]);
  await untilServers({ "/app/servers/web-1": WEB1.value });
  await etcd.put("/app/servers/web-1", "127.0.0.1:8001 weight=7");
  await eventually(async () => expect(await etcd.get("/app/owners/web-1")).toBeUndefined());
  const { modRevision } = await stored("/app/servers/web-1");
  want([WEB1, WEB2]);
  await untilServers({ "/app/servers/web-1": "127.0.0.1:8001 weight=7", "/app/servers/web-2": WEB2.value });
  want([WEB2]);
  want([WEB1, WEB2]);
  await eventually(async () => expect(await stored("/app/servers/web-1")).toMatchObject({ modRevision }));
  await etcd.del("/app/servers/web-1");
  await untilServers({ "/app/servers/web-1": WEB1.value, "/app/servers/web-2": WEB2.value });
});

test("what others delete of ours comes back: a server, its record, the lease with everything", async () => {
  start().want([WEB1, API1]);
  const all = { "/app/servers/web-1": WEB1.value, "/app/servers/api/x-1": API1.value };
  await untilServers(all);
  await etcd.del("/app/servers/web-1");
  await untilServers(all);
  await etcd.del("/app/owners/web-1");
  await eventually(async () => expect(await etcd.get("/app/owners/web-1")).toBe(owner("aa")));
  expect(await servers()).toEqual(all);
  const { lease } = await stored("/app/owners/@a");
  await etcd.ctl("lease", "revoke", BigInt(lease).toString(16));
  await eventually(async () => expect((await stored("/app/owners/@a")).lease).not.toBe(lease));
  await untilServers(all);
  await etcd.ctl("del", "/app/", "--prefix");
  await untilServers(all);
});

test("a successor goes on with the same lease and writes one key; what stopped meanwhile goes", async () => {
  const first = start();
  first.want([WEB1, WEB2, API1]);
  const all = {
    "/app/servers/web-1": WEB1.value,
    "/app/servers/web-2": WEB2.value,
    "/app/servers/api/x-1": API1.value,
  };
  await untilServers(all);
  const { lease } = await stored("/app/owners/@a");
  await first.crash();
  const revision = await etcd.revision();
  const second = start();
  second.want([WEB1, WEB2, API1]);
  await eventually(async () => expect(await etcd.get("/app/owners/@a")).toContain(second.agent));
  await eventually(() =>
    expect(second.registrar.status()).toMatchObject({ state: "registering", published: 3 }),
  );
  expect(await etcd.revision()).toBe(revision + 1);
  expect((await stored("/app/owners/@a")).lease).toBe(lease);
  await second.crash();
  start().want([WEB1, API1]);
  await untilServers({ "/app/servers/web-1": WEB1.value, "/app/servers/api/x-1": API1.value });
});

test("of two agents of one engine the later one registers, and the earlier stands by", async () => {
  const [first, second] = [start(), start()];
  first.want([WEB1]);
  await untilServers({ "/app/servers/web-1": WEB1.value });
  second.want([WEB1]);
  await eventually(() => expect(second.registrar.status().state).toBe("registering"));
  await eventually(() =>
    expect(first.registrar.status()).toMatchObject({ state: "standing-by", lease: null }),
  );
  const revision = await etcd.revision();
  first.want([WEB1, WEB2]);
  second.want([WEB1, API1]);
  await untilServers({ "/app/servers/web-1": WEB1.value, "/app/servers/api/x-1": API1.value });
  expect(await etcd.revision()).toBe(revision + 1);
  await second.end();
  await untilServers({ "/app/servers/web-1": WEB1.value, "/app/servers/web-2": WEB2.value });
});

test("a second host of the same name stands by, until the lease of the first ends", async () => {
  const first = start("a", { leaseTtlS: 2 });
  first.want([WEB1]);
  await untilServers({ "/app/servers/web-1": WEB1.value });
  const second = start("a", { leaseTtlS: 2 });
  second.want([WEB2]);
  await eventually(() => expect(second.registrar.status().state).toBe("standing-by"));
  expect(await servers()).toEqual({ "/app/servers/web-1": WEB1.value });
  await first.crash();
  await untilServers({ "/app/servers/web-2": WEB2.value });
});

test("two hosts with servers of one name: each has its own, and keeps it when it starts again", async () => {
  const [first, second] = [start("a"), start("b")];
  first.want([WEB1]);
  await untilServers({ "/app/servers/web-1": WEB1.value });
  const other = publication("dd", "web-1", "127.0.0.1:8101");
  second.want([other]);
  const both = { "/app/servers/web-1": WEB1.value, "/app/servers/web-1-b": other.value };
  await untilServers(both);
  await first.end();
  await untilServers({ "/app/servers/web-1-b": other.value });
  await second.crash();
  const revision = await etcd.revision();
  const again = start("b");
  again.want([other]);
  await eventually(() =>
    expect(again.registrar.status()).toMatchObject({ state: "registering", published: 1 }),
  );
  expect(await servers()).toEqual({ "/app/servers/web-1-b": other.value });
  expect(await etcd.revision()).toBe(revision + 1);
});

test("a container that was made anew takes over the key of its predecessor in one write", async () => {
  const { want } = start();
  want([WEB1]);
  await untilServers({ "/app/servers/web-1": WEB1.value });
  const revision = await etcd.revision();
  want([publication("ee", "web-1", "127.0.0.1:8044")]);
  await untilServers({ "/app/servers/web-1": "127.0.0.1:8044" });
  expect(await etcd.get("/app/owners/web-1")).toBe(owner("ee"));
  expect(await etcd.revision()).toBe(revision + 1);
});

test("an agent that ends takes out its own, drained first, and nobody else's", async () => {
  await etcd.put("/app/servers/manual", "127.0.0.1:9999");
  const [first, second] = [start("a"), start("b")];
  first.want([WEB1]);
  second.want([WEB2]);
  const rest = { "/app/servers/manual": "127.0.0.1:9999", "/app/servers/web-2": WEB2.value };
  await untilServers({ ...rest, "/app/servers/web-1": WEB1.value });
  const revision = await etcd.revision();
  await first.end();
  expect(await servers()).toEqual(rest);
  expect(await etcd.history("/app/servers/web-1", revision + 1)).toEqual([
    "127.0.0.1:8001 state=drain",
    null,
  ]);
  expect(Object.keys(await etcd.list("/app/owners/")).toSorted()).toEqual([
    "/app/owners/@b",
    "/app/owners/web-2",
  ]);
  expect(first.registrar.status().state).toBe("withdrawn");
});

test("a successor that comes while the first one withdraws has all of it from then on", async () => {
  const [first, second] = [start(), start()];
  first.want([WEB1, WEB2]);
  const both = { "/app/servers/web-1": WEB1.value, "/app/servers/web-2": WEB2.value };
  await untilServers(both);
  await eventually(() => expect(second.registrar.status().state).toBe("waiting"));
  const ended = first.end();
  await eventually(async () => expect(await etcd.get("/app/servers/web-1")).toContain("state=drain"));
  second.want([WEB1, WEB2]);
  await eventually(async () => expect(await etcd.get("/app/owners/@a")).toContain(second.agent));
  const { modRevision } = await stored("/app/owners/@a");
  await untilServers(both);
  // Whatever is heard makes the first one look again.
  const heard = new AbortController();
  void ended.then(() => heard.abort());
  while (!heard.signal.aborted) await etcd.put("/app/servers/manual", "127.0.0.1:9999");
  await untilServers({ ...both, "/app/servers/manual": "127.0.0.1:9999" });
  expect(await etcd.history("/app/servers/web-1", modRevision + 1)).toEqual([WEB1.value]);
});

test("500 servers are written in nine transactions", async () => {
  const many = Array.from({ length: 500 }, (_, i) =>
    publication((i + 4096).toString(16), `web-${i}`, `127.0.0.1:${10_000 + i}`),
  );
  const { registrar, want } = start();
  want(many);
  await eventually(() => expect(registrar.status()).toMatchObject({ published: 500 }), { timeoutMs: 30_000 });
  await eventually(async () => expect(Object.keys(await servers())).toHaveLength(500));
  expect(registrar.status().counts).toMatchObject({ transactions: 9, conflicts: 0, leases: 1 });
});

import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etcdConnect } from "../../src/etcd/client.ts";
import { listPrefixes } from "../../src/etcd/list.ts";
import { openEtcd, type EtcdSession } from "../../src/etcd/session.ts";
import { etcdSource, type EtcdOptions } from "../../src/discovery/etcd.ts";
import { watchPrefixes, type EtcdEvent } from "../../src/etcd/watch.ts";
import { putMany } from "../support/etcd-bulk.ts";
import { startEtcd, type EtcdServer } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { nullLogger } from "../support/null-logger.ts";
import { runSource } from "../support/run-source.ts";

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd[Symbol.asyncDispose]());

const sourceOf = (options: Partial<EtcdOptions>) =>
  etcdSource({
    endpoints: [`http://${etcd.endpoint}/`],
    prefix: "/none/",
    overridesPrefix: "/none-overrides/",
    watch: [],
    defaultBackend: "webserver",
    log: nullLogger,
    ...options,
  });

const session = (signal: AbortSignal) =>
  openEtcd({ connect: etcdConnect(), access: { endpoints: [] }, endpoint: etcd.endpoint, signal });

describe("the etcd source", () => {
  test("reads servers, overrides and plain keys at one revision, which is the picture's", async () => {
    await etcd.put("/a/servers/web1", " 10.0.0.1:80\n");
    await etcd.put("/a/servers/api/x", '{"address":"10.0.0.2:80","check":false}');
    await etcd.put("/a/servers/bad", "10.0.0.1");
    await etcd.put("/a/overrides/web1", "drain");
    await etcd.put("/a/config/mode", "fast");
    const revision = await etcd.put("/a/servers-old/web9", "10.0.0.9:80");
    // Without slashes at their ends, and with one inside of another.
    const source = sourceOf({
      prefix: "/a/servers",
      overridesPrefix: "/a/overrides",
      watch: ["/a/config", "/a/config/mode/"],
    });
    await using run = runSource(source);
    await eventually(() => expect(run.names()).toEqual(["web1", "x"]));
    expect(run.snapshots[0]).toMatchObject({
      source: "etcd",
      revision: String(revision),
      overrides: [{ name: "web1", state: "drain", weight: null }],
      quarantined: [{ origin: { source: "etcd", id: "/a/servers/bad" } }],
    });
    expect([...(run.snapshots[0]?.keys ?? [])]).toEqual([
      ["/a/config/mode", "fast"],
      ["/a/servers/api/x", '{"address":"10.0.0.2:80","check":false}'],
      ["/a/servers/web1", "10.0.0.1:80"],
    ]);

    const changed = await etcd.put("/a/overrides/web1", "weight=7");
    await eventually(() =>
      expect(run.snapshots.at(-1)?.overrides).toMatchObject([{ state: null, weight: 7 }]),
    );
    expect(run.snapshots.at(-1)?.revision).toBe(String(changed));
    await etcd.del("/a/overrides/web1");
    await etcd.del("/a/config/mode");
    await eventually(() => {
      expect(run.snapshots.at(-1)?.overrides).toEqual([]);
      expect(run.snapshots.at(-1)?.keys.has("/a/config/mode")).toBe(false);
    });
  });

  test("quarantines bytes that are no text", async () => {
    const value = Buffer.of(0xff, 0x00, 0xfe).toString("base64");
    const body = JSON.stringify({ key: Buffer.from("/bin/servers/web1").toString("base64"), value });
    await fetch(`http://${etcd.endpoint}/v3/kv/put`, { method: "POST", body });
    await etcd.put("/bin/servers/web2", "10.0.0.2:80");
    await using run = runSource(sourceOf({ prefix: "/bin/servers/" }));
    await eventually(() => expect(run.names()).toEqual(["web2"]));
    expect(run.snapshots[0]?.quarantined).toMatchObject([{ reason: "the value is not UTF-8 text" }]);
  });

  test("reads everything again from time to time, on the same connection", async () => {
    await etcd.put("/b/servers/web1", "10.0.0.1:80");
    await using run = runSource(sourceOf({ prefix: "/b/servers/", relistMs: 50 }));
    await eventually(() => expect(run.snapshots.length).toBeGreaterThan(5));
    await etcd.put("/b/servers/web2", "10.0.0.1:80");
    await eventually(() => expect(run.names()).toEqual(["web1", "web2"]));
    run.stop();
    expect(await run.ended).toBeNull();
  });

  test("refuses more keys than its limit, in the list and in the watch", async () => {
    const put = (from: number, to: number): Promise<void> =>
      putMany(
        etcd,
        Array.from({ length: to - from }, (_, n) => [`/many/servers/web${from + n}`, "10.0.0.1:80"] as const),
      );
    await put(0, 2400);
    const limited = { prefix: "/many/servers/", maxKeys: 2500 };
    await using watching = runSource(sourceOf(limited));
    await eventually(() => expect(watching.names()).toHaveLength(2400));
    await put(2400, 2501);
    expect((await watching.ended)?.message).toMatch(/^etcd http.*: refused: more than 2500 keys$/);
    await using listing = runSource(sourceOf(limited));
    expect((await listing.ended)?.message).toMatch(/^etcd http.*: refused: 2501 keys, 2500 are the limit$/);
    expect(listing.snapshots).toEqual([]);
  });

  test("a burst of changes costs few pictures, and none is lost", async () => {
    await using run = runSource(sourceOf({ prefix: "/burst/servers/" }));
    await eventually(() => expect(run.names()).toEqual([]));
    const keys = Array.from({ length: 3000 }, (_, n) => [`/burst/servers/web${n}`, "10.0.0.1:80"] as const);
    await putMany(etcd, keys);
    await eventually(() => expect(run.names()).toHaveLength(3000));
    expect(run.snapshots.length).toBeLessThanOrEqual(31);
  });

  test.each(["http", "https"])(
    "a host that accepts and stays silent costs no socket for ever (%s)",
    async (scheme) => {
      const sockets = new Set<Socket>();
      await using server = createServer((socket) => {
        sockets.add(socket.resume());
        socket.once("close", () => sockets.delete(socket));
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const source = sourceOf({ endpoints: [`${scheme}://127.0.0.1:${port}`] });

      await using failing = runSource(source);
      await eventually(() => expect(sockets.size).toBe(1));
      expect((await failing.ended)?.message).toMatch(/: no answer in time$/);
      await eventually(() => expect(sockets.size).toBe(0));

      await using aborted = runSource(source);
      await eventually(() => expect(sockets.size).toBe(1));
      aborted.stop();
      expect(await aborted.ended).toBeNull();
      await eventually(() => expect(sockets.size).toBe(0));
    },
  );

  test("an endpoint that is none is named", async () => {
    for (const endpoint of ["127.0.0.1", "ftp://127.0.0.1:1", "http://a:1/path", ""]) {
      await using run = runSource(sourceOf({ endpoints: [endpoint] }));
      expect((await run.ended)?.message).toBe(
        `etcd ${endpoint}: the endpoint is not http://HOST:PORT or https://HOST:PORT`,
      );
    }
  });
});

test("all pages and prefixes are those of one revision, whatever is written meanwhile", async () => {
  const keysOf = (folder: string, value: string) =>
    Array.from({ length: 1500 }, (_, n) => [`/pinned/${folder}/${n}`, value] as const);
  await putMany(etcd, [...keysOf("a", "old"), ...keysOf("b", "old")]);
  const { signal } = new AbortController();
  using opened = await session(signal);
  const slow = withDelay(opened, () => putMany(etcd, [...keysOf("a", "new"), ...keysOf("b", "new")]));
  const values: string[] = [];
  const onEntry = (entry: { value: Buffer }): void => void values.push(entry.value.toString());
  const listed = await listPrefixes({
    session: slow,
    prefixes: ["/pinned/a/", "/pinned/b/"],
    maxKeys: 3000,
    onEntry,
  });
  expect(values).toEqual(Array.from({ length: 3000 }, () => "old"));
  expect(Number(listed)).toBeLessThan(await etcd.revision());
});

describe("a watch", () => {
  test("of a revision that is compacted is an error, not silence", async () => {
    await etcd.put("/c/x", "1");
    const { signal } = new AbortController();
    using opened = await session(signal);
    const revision = String((await etcd.revision()) - 2);
    await etcd.put("/c/x", "2");
    await etcd.compact();
    const watching = watchPrefixes({
      session: opened,
      prefixes: ["/c/"],
      revision,
      onEvents: () => undefined,
      signal,
    });
    await expect(watching).rejects.toThrow(/^the history is compacted up to revision \d+$/);
  });

  test("gets a long history in fragments, and hands it on as one", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    using opened = await session(signal);
    const batches: (readonly EtcdEvent[])[] = [];
    const start = String(await etcd.revision());
    for (let n = 0; n < 60; n++) await etcd.put(`/d/${n}`, "x".repeat(100_000));
    const onEvents = (events: readonly EtcdEvent[]): void => void batches.push(events);
    const watching = watchPrefixes({
      session: opened,
      prefixes: ["/d/", "/e/"],
      revision: start,
      onEvents,
      signal,
    });
    const ended = expect(watching).rejects.toThrow();
    await eventually(() => expect(batches.flat()).toHaveLength(60));
    // etcd cuts these 6 MB of history into pieces of 2 MB.
    expect(batches).toHaveLength(1);
    expect(batches.flat().map(({ kv }) => kv.key.toString())).toEqual(
      Array.from({ length: 60 }, (_, n) => `/d/${n}`),
    );
    controller.abort();
    await ended;
  });
});

test("pages that are too large for one message are read in smaller ones", async () => {
  // 80 MB: more than the channel takes at once.
  const value = "x".repeat(800_000);
  await putMany(
    etcd,
    Array.from({ length: 100 }, (_, n) => [`/large/${n}`, value] as const),
  );
  const { signal } = new AbortController();
  using opened = await session(signal);
  const sizes: number[] = [];
  const onEntry = (entry: { value: Buffer }): void => void sizes.push(entry.value.length);
  await listPrefixes({ session: opened, prefixes: ["/large/"], maxKeys: 1000, onEntry });
  expect(sizes).toEqual(Array.from({ length: 100 }, () => 800_000));
});

/** The same session, but between the first and the second call `between` happens. */
function withDelay(opened: EtcdSession, between: () => Promise<void>): EtcdSession {
  let calls = 0;
  return {
    ...opened,
    call: async (timeoutMs, attempt) => {
      if (calls++ === 1) await between();
      return opened.call(timeoutMs, attempt);
    },
  };
}

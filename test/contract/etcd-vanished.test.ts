import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { etcdBinaries } from "../../scripts/lab/etcd.ts";
import { type EtcdServer, startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { type EtcdFollower, followEtcd } from "../support/follow-etcd.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { tempDir } from "../support/temp-dir.ts";

const SLOW = { timeoutMs: 40_000 };

/** An etcd whose data can be replaced, a way to it that can be cut, and the source behind it. */
interface Lab extends AsyncDisposable {
  readonly etcd: EtcdServer;
  readonly source: EtcdFollower;
  /** Its data; the folder can be replaced while it is killed. */
  readonly data: string;
  /** Does `work` while the source has no way to etcd, and lets it come back. */
  unseen(work: () => Promise<unknown>): Promise<void>;
  /** Resolves when the picture has exactly these servers and these that vanished. */
  until(names: readonly string[], vanished: readonly string[]): Promise<void>;
}

async function startLab(): Promise<Lab> {
  await using cleanup = new AsyncDisposableStack();
  const dir = cleanup.use(await tempDir()).path;
  const etcd = cleanup.use(await startEtcd({ dir }));
  const proxy: TcpProxy = cleanup.use(await startTcpProxy(etcd.port));
  const endpoints = [`127.0.0.1:${proxy.port}`];
  const source = cleanup.use(followEtcd({ endpoints, keepVanishedMs: 3_600_000 }));
  const owned = cleanup.move();
  return {
    etcd,
    source,
    data: join(dir, "m0.data"),
    unseen: async (work) => {
      await proxy.refuse();
      proxy.cut();
      await work();
      await proxy.pass();
    },
    until: (names, vanished) =>
      eventually(() => {
        expect({ names: source.names(), vanished: source.vanished() }).toEqual({ names, vanished });
      }, SLOW),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const key = (name: string): string => `/app/servers/${name}`;
const put = (etcd: EtcdServer, ...names: readonly string[]): Promise<unknown> =>
  Promise.all(names.map((name) => etcd.put(key(name), "10.0.0.1:80")));

/** Puts keys on one new lease. @returns the lease. */
async function putLeased(etcd: EtcdServer, ...names: readonly string[]): Promise<string> {
  const lease = /lease ([0-9a-f]+) /.exec(await etcd.ctl("lease", "grant", "600"))?.[1] ?? "";
  for (const name of names) await etcd.ctl("put", `--lease=${lease}`, key(name), "10.0.0.1:80");
  return lease;
}

test("what ends with its lease vanished; what is deleted or drained before did not, seen or unseen", async () => {
  await using lab = await startLab();
  const { etcd } = lab;
  const lease = await putLeased(etcd, "a", "b", "drained");
  const other = await putLeased(etcd, "c", "d");
  await put(etcd, "deleted", "gone", "stays");
  await lab.until(["a", "b", "c", "d", "deleted", "drained", "gone", "stays"], []);
  await etcd.ctl("put", `--lease=${lease}`, key("drained"), "10.0.0.1:80 state=drain");
  await etcd.del(key("deleted"));
  await etcd.ctl("lease", "revoke", lease);
  await lab.until(["c", "d", "gone", "stays"], ["a: lease", "b: lease"]);

  await lab.unseen(async () => {
    await etcd.ctl("lease", "revoke", other);
    await etcd.del(key("gone"));
    await put(etcd, "b");
  });
  await lab.until(["b", "stays"], ["a: lease", "c: lease", "d: lease"]);
  await put(etcd, "a", "c");
  await etcd.del(key("b"));
  await lab.until(["a", "c", "stays"], ["d: lease"]);
  // What nobody can tell any more counts as deleted.
  await lab.unseen(async () => {
    await etcd.del(key("a"));
    await etcd.compact();
  });
  await lab.until(["c", "stays"], ["d: lease"]);
});

test.each([0, 20])(
  "when the store comes back empty, and with %i writes more than before, all that is missing vanished",
  async (writes) => {
    await using lab = await startLab();
    const { etcd, data } = lab;
    await put(etcd, "a", "b", "c");
    await putLeased(etcd, "d");
    await lab.until(["a", "b", "c", "d"], []);
    const before = await etcd.revision();
    await lab.unseen(async () => {
      await etcd.kill();
      await rm(data, { recursive: true });
      await etcd.restart();
      await put(etcd, "b");
      for (let n = 0; n < writes; n++) await etcd.put("/somebody/else", String(n));
    });
    await lab.until(["b"], ["a: store", "c: store", "d: store"]);
    expect((await etcd.revision()) > before).toBe(writes > 0);
    await put(etcd, "c");
    await lab.until(["b", "c"], ["a: store", "d: store"]);
    await etcd.del(key("c"));
    await lab.until(["b"], ["a: store", "d: store"]);
  },
);

test.each([0, 20])(
  "when an older snapshot was restored, with %i writes since, what it lacks vanished",
  async (writes) => {
    await using lab = await startLab();
    const { etcd, data } = lab;
    await put(etcd, "a", "b");
    const backup = join(dirname(data), "backup.db");
    await etcd.ctl("snapshot", "save", backup);
    await put(etcd, "later1", "later2");
    await lab.until(["a", "b", "later1", "later2"], []);
    const peer = /http:[^,\s]+/.exec(await etcd.ctl("member", "list"))?.[0] ?? "";
    const cluster = [
      "--name",
      "m0",
      "--initial-cluster",
      `m0=${peer}`,
      "--initial-advertise-peer-urls",
      peer,
    ];
    const tool = join(dirname((await etcdBinaries("3.5")).etcd), "etcdutl");
    await lab.unseen(async () => {
      await etcd.kill();
      await rm(data, { recursive: true });
      await execa(tool, ["snapshot", "restore", backup, "--data-dir", data, ...cluster]);
      await etcd.restart();
      for (let n = 0; n < writes; n++) await etcd.put("/somebody/else", String(n));
    });
    await lab.until(["a", "b"], ["later1: store", "later2: store"]);
  },
);

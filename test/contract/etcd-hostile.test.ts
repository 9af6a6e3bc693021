import { expect, test } from "vitest";
import { etcdSource } from "../../src/discovery/etcd.ts";
import { putMany } from "../support/etcd-bulk.ts";
import { type EtcdServer, startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { followSource } from "../support/follow-source.ts";
import { nullLogger } from "../support/null-logger.ts";

const follow = (etcd: EtcdServer, maxKeys = 100_000) =>
  followSource(
    etcdSource({
      endpoints: [`http://${etcd.endpoint}`],
      prefix: "/app/servers/",
      overridesPrefix: "/app/overrides/",
      watch: [],
      defaultBackend: "webserver",
      log: nullLogger,
      maxKeys,
    }),
  );

test("values of 10 MB are refused, seen or read, and nothing else suffers", async () => {
  await using etcd = await startEtcd({ flags: ["--max-request-bytes", String(64 * 1024 * 1024)] });
  const huge = "x".repeat(10 * 1024 * 1024);
  await etcd.put("/app/servers/huge1", huge);
  await etcd.put("/app/servers/web1", "10.0.0.1:80");
  await using first = follow(etcd);
  await eventually(() => expect(first.names()).toEqual(["web1"]), { timeoutMs: 30_000 });
  await etcd.put("/app/servers/huge2", huge);
  await etcd.put("/app/overrides/web1", huge);
  await etcd.put("/app/servers/web2", "10.0.0.2:80");
  await eventually(() => expect(first.names()).toEqual(["web1", "web2"]), { timeoutMs: 30_000 });
  const [picture] = first.board.snapshots();
  expect(picture?.quarantined.map(({ origin }) => origin.id)).toEqual([
    "/app/overrides/web1",
    "/app/servers/huge1",
    "/app/servers/huge2",
  ]);
  expect(JSON.stringify(picture).length).toBeLessThan(5000);
});

test("with a key too many the last picture stands, and the next one comes by itself", async () => {
  await using etcd = await startEtcd();
  const keys = Array.from({ length: 50 }, (_, n) => [`/app/servers/web${n}`, "10.0.0.1:80"] as const);
  await putMany(etcd, keys);
  await using followed = follow(etcd, 50);
  await eventually(() => expect(followed.names()).toHaveLength(50));
  await etcd.put("/app/servers/more", "10.0.0.1:80");
  await eventually(() => {
    const [source] = followed.board.sources();
    expect([source?.state, source?.error]).toEqual([
      "down",
      expect.stringContaining("51 keys, 50 are the limit"),
    ]);
  });
  expect(followed.names()).toHaveLength(50);
  expect(followed.names()).not.toContain("more");
  await etcd.del("/app/servers/web0");
  await eventually(() => expect(followed.names()).toContain("more"), { timeoutMs: 60_000 });
  expect(followed.names()).toHaveLength(50);
});

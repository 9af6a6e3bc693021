import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EtcdAccess } from "../../src/etcd/access.ts";
import { type EtcdCluster, startEtcdCluster } from "../support/etcd-cluster.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { followEtcd } from "../support/follow-etcd.ts";
import { freePort } from "../support/free-port.ts";
import { COUNTER, startSteadyWriter } from "../support/steady-writer.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";
import { type ThrowawayCa, throwawayCa } from "../support/throwaway-ca.ts";

/** An election comes first; then the longest pause between two attempts is 7.5 s, and a silent host costs 3 s more. */
const RECOVERED_MS = 40_000;

let dir: TempDir;
let ca: ThrowawayCa;
let cluster: EtcdCluster;
/** Without a user name: the certificate's common name is the user. */
let access: EtcdAccess;

beforeAll(async () => {
  dir = await tempDir();
  ca = await throwawayCa(dir.path);
  const [server, client] = [await ca.issue("server"), await ca.issue("rollcall")];
  const ports = [await freePort(), await freePort(), await freePort()];
  const files = ["--cert-file", server.cert, "--key-file", server.key, "--trusted-ca-file", ca.ca];
  cluster = await startEtcdCluster(3, {
    flags: [...files, "--client-cert-auth"],
    // This process and etcdctl go on without TLS.
    flagsOf: (index, port) => [
      "--listen-client-urls",
      `http://127.0.0.1:${port},https://127.0.0.1:${ports[index]}`,
    ],
  });
  for (const command of [
    "role add rollcall",
    "role grant-permission rollcall --prefix=true read /app/",
    "role add writer",
    "role grant-permission writer --prefix=true readwrite /app/",
    "user add rollcall --no-password",
    "user grant-role rollcall rollcall",
    "user add writer:secret",
    "user grant-role writer writer",
    "user add root:root",
    "user grant-role root root",
    "auth enable",
  ]) {
    await cluster.members[0]?.ctl(...command.split(" "));
  }
  await writeFile(join(dir.path, "password"), "secret");
  const endpoints = ports.map((port) => `https://127.0.0.1:${port}`);
  access = { endpoints, caFile: ca.ca, certFile: client.cert, keyFile: client.key };
}, 120_000);
afterAll(async () => {
  for (const part of [cluster, dir]) await part?.[Symbol.asyncDispose]();
});

test("three members with certificates and users lose their leader twice while changes go on", async () => {
  await cluster.members[0]?.ctl("--user", "root:root", "del", "--prefix", "/app/");
  const user = { username: "writer", passwordFile: join(dir.path, "password") };
  await using follower = followEtcd(access);
  await using writer = startSteadyWriter({ ...access, ...user });
  for (let loss = 0; loss < 2; loss++) {
    await eventually(() => expect(writer.acknowledged).toBeGreaterThan(20), { timeoutMs: RECOVERED_MS });
    // Renewed in place; connections that are open keep the old one.
    await ca.issue("rollcall");
    const leader = await eventually(() => cluster.leader());
    await leader.kill("SIGKILL");
    const before = writer.acknowledged;
    const goesOn = (): void => expect(writer.acknowledged).toBeGreaterThan(before + 20);
    await eventually(goesOn, { timeoutMs: RECOVERED_MS });
    await leader.restart();
  }
  await writer.stop();
  const { acknowledged, breaks, unanswered } = writer;
  figure("faults injected", 2);
  figure("changes", acknowledged);
  process.stdout.write(`${acknowledged} writes, ${breaks} breaks, ${unanswered} unanswered had been made\n`);

  const names = Array.from({ length: acknowledged }, (_, index) => `web${index + 1}`).toSorted();
  await eventually(() => expect(follower.names()).toEqual(names), { timeoutMs: RECOVERED_MS });
  expect(follower.sizes).toEqual(follower.sizes.toSorted((a, b) => a - b));
  const stored = JSON.parse(
    (await cluster.members[0]?.ctl("--user", "root:root", "get", COUNTER, "-w", "json")) ?? "",
  ) as { kvs: { version: number }[] };
  // As many writes as numbers: none was made twice.
  expect(stored.kvs[0]?.version).toBe(acknowledged);
});

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { putMany } from "../support/etcd-bulk.ts";
import { startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { rollcallImage, runRollcall, type RollcallContainer } from "../support/rollcall-image.ts";
import { tempDir } from "../support/temp-dir.ts";

let engine: SharedEngine;
let image: string;
beforeAll(async () => {
  engine = await sharedEngine();
  image = await rollcallImage(engine);
}, 300_000);

const memory = (megabytes: number): readonly string[] => [
  `--memory=${megabytes}m`,
  `--memory-swap=${megabytes}m`,
];
const ROLLCALL = /main\.ts run/;
/** Of its master, which is process 1, and its workers. */
const haproxyPids = async (container: RollcallContainer): Promise<readonly number[]> =>
  (await container.processes())
    .filter(({ pid, parent, command }) => command.startsWith("haproxy") && (pid === 1 || parent === 1))
    .map(({ pid }) => pid);

const [SERVERS, CHANGES] = [1000, 200];

test("1,000 servers and 200 changes fit into 192 MB, with HAProxy", async () => {
  await using etcd = await startEtcd();
  const [port, http] = [await freePort(), await freePort()];
  const nameOf = (number: number): string => `web${number}`;
  const keyOf = (number: number): string => `/app/servers/${nameOf(number)}`;
  const valueOf = (number: number, weight: number): string =>
    `127.0.1.1:${10_000 + number} weight=${weight} check=off`;
  const all = Array.from({ length: SERVERS }, (_, number) => [keyOf(number), valueOf(number, 1)] as const);
  await putMany(etcd, all);
  const env = [
    `HAPROXY_BIND=127.0.0.1:${port}`,
    `ROLLCALL_HTTP=127.0.0.1:${http}`,
    `ROLLCALL_ETCD_ENDPOINTS=http://${etcd.endpoint}`,
    "ROLLCALL_DOCKER=off",
  ].flatMap((one) => ["-e", one]);
  const flags = ["--network=host", ...memory(192), ...env];
  await using container = await runRollcall(engine, { image, flags });
  const config = (): Promise<string> => container.exec("cat", "/etc/haproxy/haproxy.cfg");
  await eventually(async () => expect(await config()).toContain(` ${nameOf(SERVERS - 1)} `), {
    timeoutMs: 90_000,
  });
  const before = [(await container.process(ROLLCALL)).pid, ...(await haproxyPids(container))];
  for (let change = 0; change < CHANGES; change++) {
    await putMany(etcd, [[keyOf(change), valueOf(change, 100)]]);
  }
  await eventually(async () => expect((await config()).match(/ weight 100$/gm)).toHaveLength(CHANGES), {
    timeoutMs: 90_000,
    everyMs: 200,
  });
  const status = await container.exec("cat", `/proc/${before[0]}/status`);
  console.log(
    `Rollcall in 192 MB: ${status
      .match(/^(?:VmHWM|RssAnon):.*$/gm)
      ?.join(", ")
      .replaceAll(/\s+/g, " ")}`,
  );
  expect((await container.process(ROLLCALL)).pid).toBe(before[0]);
  expect(await container.logs()).not.toMatch(/Rollcall ended/);
});

test("where memory does not suffice, Rollcall is ended and HAProxy serves on; with more of it Rollcall is back", async () => {
  await using dir = await tempDir();
  await chmod(dir.path, 0o777);
  await writeFile(
    join(dir.path, "haproxy.cfg"),
    `global
    stats socket /run/haproxy/admin.sock mode 600 level admin
frontend f
    mode http
    timeout client 5s
    bind :6301
    http-request return status 204
`,
  );
  const flags = [...memory(40), "-v", `${dir.path}:/etc/haproxy`, "-e", "ROLLCALL_ETCD_ENDPOINTS=off"];
  await using container = await runRollcall(engine, { image, flags });
  await container.untilAnswers(204);
  const before = await haproxyPids(container);
  // Where the programs' own pages count too, the kernel first takes those away again and again.
  await eventually(
    async () => expect(await container.logs()).toMatch(/Rollcall ended with exit code 137.*Next start in/),
    { timeoutMs: 150_000, everyMs: 200 },
  );
  await container.untilAnswers(204);
  await eventually(async () => expect(await haproxyPids(container)).toEqual(before));
  await container.act("update", ...memory(256));
  await eventually(async () => expect(await container.rollcall("/livez")).toBe("alive\n"), {
    timeoutMs: 90_000,
  });
});

import { rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { haproxyBinary } from "../../scripts/lab/haproxy.ts";
import { etcdConnect } from "../../src/etcd/client.ts";
import { commit } from "../../src/etcd/commit.ts";
import { openEtcd } from "../../src/etcd/session.ts";
import { eventually } from "../support/eventually.ts";
import { runningServers } from "../support/running-servers.ts";
import { type Stack, startStack } from "../support/stack.ts";

/** At least so long. */
const STORM_MS = 5000;
const PER_SECOND = 1000;
/** So many writes may be without an answer. */
const IN_FLIGHT = 50;

/** Writes one key as often as it can be, up to a thousand times a second; resolves at the end with how often it was. */
async function writeWildly(stack: Stack, address: string, end: AbortSignal): Promise<number> {
  using session = await openEtcd({
    connect: etcdConnect(),
    access: { endpoints: [] },
    endpoint: `http://${stack.etcd.endpoint}`,
    signal: AbortSignal.timeout(120_000),
  });
  const startedMs = performance.now();
  let written = 0;
  const write = async (): Promise<void> => {
    for (;;) {
      const passedMs = performance.now() - startedMs;
      if (end.aborted) return;
      if (written > (passedMs * PER_SECOND) / 1000) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      const value = `${address} weight=${1 + (written++ % 200)}`;
      const writes = [{ kind: "put", key: "/app/servers/wild", value, lease: "0" }] as const;
      await commit(session, { expects: [], writes });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, write));
  return written;
}

const weightOf = async (stack: Stack, name: string): Promise<number | undefined> =>
  (await runningServers(stack.haproxy)).find((server) => server.name === name)?.weight;

test("a key that is written all the time holds up no other, and HAProxy has little work", async () => {
  await using stack = await startStack({ version: "3.2" });
  const [wild, calm] = [await stack.app("wild"), await stack.app("calm")];
  await stack.untilServed(["calm", "wild"]);
  await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
  const [reloads, passes] = [stack.reloads(), (await stack.daemon.status()).lastPass?.pass ?? 0];

  const startedMs = performance.now();
  const end = new AbortController();
  const storm = writeWildly(stack, wild.address, end.signal);
  // Where the test fails before, nobody waits for it.
  storm.catch(() => undefined);
  const lateMs: number[] = [];
  for (const weight of [11, 22, 33]) {
    const putMs = performance.now();
    await stack.etcd.put("/app/servers/calm", `${calm.address} weight=${weight}`);
    await eventually(async () => expect(await weightOf(stack, "calm")).toBe(weight), {
      everyMs: 20,
      timeoutMs: 20_000,
    });
    lateMs.push(Math.round(performance.now() - putMs));
  }
  await new Promise((resolve) => setTimeout(resolve, STORM_MS - (performance.now() - startedMs)));
  end.abort();
  const written = await storm;
  await stack.etcd.put("/app/servers/wild", `${wild.address} weight=222`);
  await eventually(async () => expect(await weightOf(stack, "wild")).toBe(222));

  const seconds = (performance.now() - startedMs) / 1000;
  const made = ((await stack.daemon.status()).lastPass?.pass ?? 0) - passes;
  console.log(
    `${written} writes in ${seconds.toFixed(1)} s: ${made} passes, other changes ran after ${lateMs.join(", ")} ms`,
  );
  expect(written).toBeGreaterThan(200);
  // There are at least 5 ms between two pictures.
  expect(made).toBeLessThan(200 * seconds + 20);
  expect(stack.reloads()).toBe(reloads);
  expect(stack.haproxy.starts).toBe(1);
});

const ANSWERS: readonly string[] = [
  "",
  "Name: HAPr",
  "\0\u0001\ufffd{}[]\n\n".repeat(100),
  "9".repeat(10 * 1024 * 1024),
  "Name: HAProxy\nVersion: 99.9.9\nPid: 1\nUptime_sec: 1\ndescription: rev=x\n\n1\n# be_id be_name\n",
  "Version: 3.2\nPid: 2147483647\n\n1\n# be_id\n1 webserver 1 web1 10.0.0.1 2 0 1\n",
];

test("something else on HAProxy's socket: no crash, the file stays good, and it is told", async () => {
  await using stack = await startStack({ version: "3.2" });
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
  const [pid, path, aside] = [stack.daemon.pid, join(stack.dir, "admin.sock"), join(stack.dir, "aside.sock")];
  let asked = 0;
  const server = createServer((socket) => {
    const answer = ANSWERS[asked++ % ANSWERS.length] ?? "";
    socket.on("error", () => undefined).on("data", () => socket.end(answer));
  });
  await rename(path, aside);
  server.listen(path);
  await once(server, "listening");

  await stack.app("web2");
  await eventually(
    async () => {
      expect(asked).toBeGreaterThan(2 * ANSWERS.length);
      expect((await stack.daemon.get("/readyz")).code).toBe(503);
    },
    { timeoutMs: 60_000 },
  );
  expect((await stack.daemon.get("/livez")).code).toBe(200);
  const binary = await haproxyBinary("3.2");
  const checked = await execa(binary, ["-c", "-f", stack.configFile], { reject: false });
  expect(checked.exitCode, checked.stderr).toBe(0);
  for (const line of stack.daemon.log()) expect(JSON.stringify(line).length).toBeLessThan(10_000);
  const status = await stack.daemon.status();
  expect(JSON.stringify(status).length).toBeLessThan(20_000);

  server.close();
  await rm(path, { force: true });
  await rename(aside, path);
  await stack.untilServed(["web1", "web2"], 60_000);
  await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
  expect([stack.daemon.pid, stack.daemon.alive, stack.haproxy.starts]).toEqual([pid, true, 1]);
});

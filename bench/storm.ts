import { setTimeout as sleep } from "node:timers/promises";
import { putMany } from "../test/support/etcd-bulk.ts";
import { type EtcdServer, startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import type { HaproxyProcess } from "../test/support/haproxy-process.ts";
import { startStack } from "../test/support/stack.ts";
import { ROLLCALL, untilReady } from "./actors.ts";
import { appliedPasses, untilApplied } from "./applied-passes.ts";
import { bareHaproxy } from "./bare-haproxy.ts";
import { manyServers, nameOf } from "./many-servers.ts";
import type { Progress } from "./options.ts";
import type { Row } from "./rows.ts";
import { readyServers } from "./servers-state.ts";
import type { Sizes } from "./sizes.ts";

type Storm = Sizes["storms"][number];

const FLOOR = "write, haproxy -c, SIGHUP";
const BACKEND = "webserver";
/** More than the 250 ms within which Rollcall waits for more changes to come. */
const REST_MS = 300;

/** Many keys at once on a running daemon, until HAProxy has all of their servers, and how many reloads that took. */
export async function storm(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const one of sizes.storms) {
    const [own, floor, reloads] = [[] as number[], [] as number[], [] as number[]];
    for (let time = 0; time < one.times; time++) {
      progress(`${one.keys} keys at once, HAProxy ${one.version}: ${time + 1} of ${one.times}`);
      await using etcd = await startEtcd();
      floor.push(await withoutRollcall(one, etcd));
      const seen = await withRollcall(one, etcd);
      progress(`  ${Math.round(seen.ms)} ms: ${seen.ways}`);
      own.push(seen.ms);
      reloads.push(seen.reloads);
    }
    const what = `${one.keys.toLocaleString("en")} keys at once`;
    const figure = `${what} -> all served, HAProxy ${one.version}`;
    rows.push(
      { figure, who: ROLLCALL, unit: "ms", values: own, floor: FLOOR },
      { figure, who: FLOOR, unit: "ms", values: floor, floor: FLOOR },
      {
        figure: `${what}, HAProxy ${one.version}`,
        who: ROLLCALL,
        unit: "reloads",
        values: reloads,
        floor: null,
      },
    );
  }
  return rows;
}

async function withRollcall(
  { keys, version }: Storm,
  etcd: EtcdServer,
): Promise<{ ms: number; reloads: number; ways: string }> {
  await using stack = await startStack({ version, etcd, options: { "log-level": "info" } });
  await untilReady(stack);
  await sleep(REST_MS);
  const [reloads, passes] = [stack.reloads(), appliedPasses(stack.daemon).length];
  const entries = manyServers({ prefix: "/app/servers/", servers: keys, words: "check=off" });
  const startedAt = performance.now();
  await putMany(etcd, entries);
  await untilAllReady(stack.haproxy, keys);
  const ms = performance.now() - startedAt;
  await untilApplied(stack.daemon, { servers: keys });
  const ways = appliedPasses(stack.daemon)
    .slice(passes)
    .map(({ way, servers, durationMs }) => `${way} to ${servers} in ${Math.round(durationMs)} ms`);
  return { ms, reloads: stack.reloads() - reloads, ways: ways.join(", ") };
}

/** The keys go to a place where nobody looks; then one file with all servers, one check and one reload. */
async function withoutRollcall({ keys, version }: Storm, etcd: EtcdServer): Promise<number> {
  await using bare = await bareHaproxy(version);
  const entries = manyServers({ prefix: "/nobody/", servers: keys, words: "" });
  const startedAt = performance.now();
  await putMany(etcd, entries);
  const lines = entries.map(([, address], index) => `    server ${nameOf(index)} ${address}\n`);
  bare.write(bare.stack.config() + lines.join(""));
  await bare.check();
  await bare.reload();
  await untilAllReady(bare.stack.haproxy, keys);
  return performance.now() - startedAt;
}

/** Asks for the last server alone before it asks for all: the whole list keeps HAProxy busy. */
function untilAllReady(haproxy: HaproxyProcess, servers: number): Promise<void> {
  const last = `${BACKEND}/${nameOf(servers - 1)}`;
  return eventually(
    async () => {
      const weight = await haproxy.show(`get weight ${last}`);
      if (!/^\d/.test(weight)) throw new Error(`${last}: ${weight.trim()}`);
      const ready = await readyServers(haproxy, BACKEND);
      if (ready !== servers) throw new Error(`${ready} of ${servers} servers are ready`);
    },
    { timeoutMs: 120_000 },
  );
}

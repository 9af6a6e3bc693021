import { setTimeout as sleep } from "node:timers/promises";
import { putMany } from "../test/support/etcd-bulk.ts";
import { startEtcd } from "../test/support/etcd-server.ts";
import { startStack } from "../test/support/stack.ts";
import { actorOf, ROLLCALL } from "./actors.ts";
import { type AppliedPass, appliedPasses, untilApplied } from "./applied-passes.ts";
import { bareHaproxy, type BareTimes, configFor } from "./bare-haproxy.ts";
import { bareNode, residentMiB } from "./bare-node.ts";
import { comes, goes } from "./change.ts";
import { watchLoopDelay } from "./loop-delay.ts";
import { manyServers } from "./many-servers.ts";
import type { Progress } from "./options.ts";
import { startPlainApp } from "./plain-app.ts";
import type { Row } from "./rows.ts";
import { type ScaleResult, scaleRows } from "./scale-rows.ts";
import type { Scale, Sizes } from "./sizes.ts";

const PREFIX = "/app/servers/";
/** More than the 250 ms within which Rollcall waits for more changes to come. */
const REST_MS = 300;

/** One server comes and goes beside few and many others. */
export async function scale(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  const results: ScaleResult[] = [];
  for (const one of sizes.scales) {
    progress(`beside ${one.servers} servers, HAProxy ${one.version}`);
    results.push(await measure(one, sizes.restMs));
  }
  return scaleRows(results, { bareNodeMiB: (await bareNode()).memoryMiB });
}

/** The others have weight 0: else thousands of requests would be theirs before the new one has its first. */
async function measure(one: Scale, restMs: number): Promise<ScaleResult> {
  const { servers, version } = one;
  await using etcd = await startEtcd();
  await putMany(etcd, manyServers({ prefix: PREFIX, servers, words: "check=off weight=0" }));
  await using delay = await watchLoopDelay();
  await using stack = await startStack({ version, etcd, options: { "log-level": "info" } });
  await untilApplied(stack.daemon, { servers });
  await using bare = await bareHaproxy(version);
  bare.write(configFor(bare.stack, stack));
  await using app = await startPlainApp("guest");
  const rollcall = actorOf({ who: ROLLCALL, stack, etcd, prefix: PREFIX });
  const [came, passes, floors] = [[] as number[], [] as AppliedPass[], [] as BareTimes[]];
  let last = appliedPasses(stack.daemon).at(-1)?.pass ?? 0;
  await delay.longestBlock(stack.daemon);
  for (let change = 0; change < one.changes; change++) {
    floors.push(await bare.measure());
    await sleep(REST_MS);
    came.push(await comes(rollcall, app));
    const pass = await untilApplied(stack.daemon, { servers: servers + 1, after: last });
    passes.push(pass);
    await sleep(REST_MS);
    await goes(rollcall, app);
    last = (await untilApplied(stack.daemon, { servers, after: pass.pass })).pass;
  }
  const block = await delay.longestBlock(stack.daemon);
  await sleep(restMs);
  return { scale: one, came, passes, floors, block, memoryMiB: residentMiB(stack.daemon.pid) };
}

import { startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { putMany } from "../test/support/etcd-bulk.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { ROLLCALL, untilReady } from "./actors.ts";
import { bareNode, BARE_NODE } from "./bare-node.ts";
import { addressOf, manyServers } from "./many-servers.ts";
import type { Progress } from "./options.ts";
import type { Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";

const PREFIX = "/app/servers/";

/** From the start of the process to its first answer, and until HAProxy is proven to run what is wanted. */
export async function startUp(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  await using etcd = await startEtcd();
  await putMany(etcd, manyServers({ prefix: PREFIX, servers: 10, words: "check=off" }));
  await using stack = await startStack({ version: "3.2", etcd, options: { "log-level": "info" } });
  await untilReady(stack);
  const times = { node: [] as number[], livez: [] as number[], same: [] as number[], change: [] as number[] };
  for (let count = 0; count < sizes.starts; count++) {
    progress(`start-up: ${count + 1} of ${sizes.starts}`);
    times.node.push((await bareNode()).ms);
    const same = await restart(stack);
    times.livez.push(same.livez);
    times.same.push(same.applied);
    await stack.daemon.kill("SIGTERM");
    await etcd.put(`${PREFIX}more`, `${addressOf(11)} check=off weight=${2 + count}`);
    times.change.push((await restart(stack)).applied);
  }
  const row = (figure: string, values: readonly number[]): readonly Row[] => {
    const own = {
      figure: `process start -> ${figure}`,
      who: ROLLCALL,
      unit: "ms",
      values,
      floor: BARE_NODE,
    } as const;
    return [own, { ...own, who: BARE_NODE, values: times.node }];
  };
  return [
    ...row("first answer (/livez)", times.livez),
    ...row("applied, HAProxy runs it already", times.same),
    ...row("applied, after a change", times.change),
  ];
}

async function restart({ daemon }: Stack): Promise<{ livez: number; applied: number }> {
  if (daemon.alive) await daemon.kill("SIGTERM");
  const startedAt = performance.now();
  await daemon.restart();
  const since = async (attempt: () => Promise<boolean>): Promise<number> => {
    await eventually(
      async () => {
        if (!(await attempt())) throw new Error("not yet");
      },
      { everyMs: 2 },
    );
    return performance.now() - startedAt;
  };
  const livez = await since(async () => (await daemon.get("/livez")).code === 200);
  return { livez, applied: await since(async () => (await daemon.status()).applied !== null) };
}

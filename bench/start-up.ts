import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../scripts/lab/child.ts";
import { startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePort } from "../test/support/free-port.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { ROLLCALL, untilReady } from "./actors.ts";
import type { Progress, Sizes } from "./options.ts";
import type { Row } from "./rows.ts";
import { BARE_NODE, residentMiB } from "./scale.ts";

const NODE_SERVER = `require("http").createServer((q, s) => s.end()).listen(+process.argv[1], "127.0.0.1")`;

/** From the start of the process to its first answer, and until HAProxy is proven to run what is wanted. */
export async function startUp(
  sizes: Sizes,
  progress: Progress,
): Promise<{ rows: readonly Row[]; bareNode: number }> {
  await using etcd = await startEtcd();
  for (let index = 0; index < 10; index++) await etcd.put(`/app/servers/s${index}`, server(index, 1));
  await using stack = await startStack({ version: "3.2", etcd, options: { "log-level": "info" } });
  await untilReady(stack);
  const times = { node: [] as number[], livez: [] as number[], same: [] as number[], change: [] as number[] };
  let bareNode = 0;
  for (let count = 0; count < sizes.starts; count++) {
    progress(`start-up: ${count + 1} of ${sizes.starts}`);
    const node = await startNode(stack.dir);
    times.node.push(node.ms);
    bareNode = node.memory;
    const same = await restart(stack);
    times.livez.push(same.livez);
    times.same.push(same.applied);
    await stack.daemon.kill("SIGTERM");
    await etcd.put("/app/servers/s0", server(0, 2 + count));
    times.change.push((await restart(stack)).applied);
  }
  const row = (figure: string, who: string, values: readonly number[]): Row => ({
    figure: `process start -> ${figure}`,
    who,
    unit: "ms",
    values,
    floor: BARE_NODE,
  });
  const rows = [
    ["first answer (/livez)", times.livez],
    ["applied, HAProxy runs it already", times.same],
    ["applied, after a reload", times.change],
  ] as const;
  return {
    bareNode,
    rows: rows.flatMap(([figure, values]) => [
      row(figure, ROLLCALL, values),
      row(figure, BARE_NODE, times.node),
    ]),
  };
}

const server = (index: number, weight: number): string => `127.1.0.${index}:9 check=off weight=${weight}`;

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

/** A process of Node.js that only answers HTTP: the floor of every program that runs on it. */
async function startNode(dir: string): Promise<{ ms: number; memory: number }> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = new Child({
    command: [process.execPath, "-e", NODE_SERVER, String(port)],
    logFile: join(dir, "node.log"),
  });
  try {
    await eventually(() => fetch(`http://127.0.0.1:${port}`), { everyMs: 2 });
    const ms = performance.now() - startedAt;
    await sleep(500);
    return { ms, memory: residentMiB(child.pid) };
  } finally {
    await child.kill();
  }
}

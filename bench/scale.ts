import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { PassJson } from "../src/observe/status-json.ts";
import { haproxyBinary } from "../scripts/lab/haproxy.ts";
import { putMany } from "../test/support/etcd-bulk.ts";
import { startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { ROLLCALL } from "./actors.ts";
import type { Progress, Sizes } from "./options.ts";
import { SPACING_MS } from "./reaction.ts";
import type { Row } from "./rows.ts";

export const BARE = "haproxy -c, SIGHUP";
export const BARE_NODE = "Node.js that does nothing";
const STAGES = ["merge", "render", "check", "commit", "reload"] as const;

/** An address of this machine where nobody listens; HAProxy does not check it. */
const value = (index: number, weight: number): string =>
  `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}:9 check=off weight=${weight}`;
const key = (index: number): string => `/app/servers/s${String(index).padStart(5, "0")}`;

/** Memory, and the time of a pass by stage, with this many servers, one of which changes its weight again and again. */
export async function scale(
  { servers, version, changes }: Sizes["scales"][number],
  given: { restMs: number; bareNode: number; progress: Progress },
): Promise<readonly Row[]> {
  given.progress(`${servers} servers, HAProxy ${version}`);
  await using etcd = await startEtcd();
  await putMany(
    etcd,
    Array.from({ length: servers }, (_, index) => [key(index), value(index, 1)] as const),
  );
  await using stack = await startStack({ version, etcd, options: { "log-level": "info" } });
  await untilApplied(stack, servers, 0);
  const passes: PassJson[] = [];
  for (let change = 0; change < changes; change++) {
    await sleep(SPACING_MS);
    const before = (await lastApplied(stack))?.pass ?? 0;
    await etcd.put(key(0), value(0, 2 + change));
    passes.push(await untilApplied(stack, servers, before));
  }
  await sleep(given.restMs);
  const memory = residentMiB(stack.daemon.pid);
  await stack.daemon.kill("SIGTERM");
  const bare = await bareTimes(stack, { binary: await haproxyBinary(version), count: changes });

  const at = `${servers.toLocaleString("en")} servers, HAProxy ${version}`;
  const ms = (stage: (typeof STAGES)[number]): Row => ({
    figure: `pass at ${at}: ${stage}`,
    who: ROLLCALL,
    unit: "ms",
    values: passes.map(({ timings }) => timings[stage] ?? Number.NaN),
    floor: stage === "check" || stage === "reload" ? BARE : null,
  });
  const bareRow = (figure: string, values: readonly number[]): Row => ({
    figure: `pass at ${at}: ${figure}`,
    who: BARE,
    unit: "ms",
    values,
    floor: BARE,
  });
  const total: Row = {
    figure: `pass at ${at}: in all`,
    who: ROLLCALL,
    unit: "ms",
    values: passes.map(({ durationMs }) => durationMs),
    floor: BARE,
  };
  const figure = `memory at ${at}`;
  return [
    ...STAGES.flatMap((stage) =>
      stage === "check" || stage === "reload" ? [ms(stage), bareRow(stage, bare[stage])] : [ms(stage)],
    ),
    total,
    bareRow(
      "in all",
      bare.check.map((check, index) => check + (bare.reload[index] ?? Number.NaN)),
    ),
    { figure, who: ROLLCALL, unit: "MiB", values: [memory], floor: BARE_NODE },
    { figure, who: BARE_NODE, unit: "MiB", values: [given.bareNode], floor: BARE_NODE },
  ];
}

async function lastApplied(stack: Stack): Promise<PassJson | undefined> {
  return (await stack.daemon.status()).changes.find(({ kind }) => kind === "applied");
}

/** Resolves with the pass after `before` that applied this many servers. */
function untilApplied(stack: Stack, servers: number, before: number): Promise<PassJson> {
  return eventually(
    async () => {
      const found = await lastApplied(stack);
      if (found !== undefined && found.pass > before && found.servers === servers) return found;
      throw new Error(`the last change that was applied: ${JSON.stringify(found)}`);
    },
    { timeoutMs: 120_000, everyMs: 100 },
  );
}

/** What HAProxy itself takes to check that file, and from SIGHUP until a new worker answers. */
async function bareTimes(
  stack: Stack,
  given: { binary: string; count: number },
): Promise<{ check: number[]; reload: number[] }> {
  const times: { check: number[]; reload: number[] } = { check: [], reload: [] };
  for (let count = 0; count < given.count; count++) {
    const startedAt = performance.now();
    await execa(given.binary, ["-c", "-f", stack.configFile]);
    times.check.push(performance.now() - startedAt);
    times.reload.push(await bareReload(stack));
    await sleep(300);
  }
  return times;
}

async function bareReload(stack: Stack): Promise<number> {
  const before = await stack.haproxy.workerPid();
  const startedAt = performance.now();
  stack.haproxy.signal("SIGHUP");
  await eventually(
    async () => {
      if ((await stack.haproxy.workerPid()) === before) throw new Error("the old worker still answers");
    },
    { timeoutMs: 60_000, everyMs: 5 },
  );
  return performance.now() - startedAt;
}

/** Resident memory of a process. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

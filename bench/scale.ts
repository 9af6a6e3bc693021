import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PassJson } from "../src/observe/status-json.ts";
import { putMany } from "../test/support/etcd-bulk.ts";
import { startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { ROLLCALL } from "./actors.ts";
import { BARE, bareHaproxy, type BareTimes } from "./bare-haproxy.ts";
import type { Progress, Sizes } from "./options.ts";
import { SPACING_MS } from "./reaction.ts";
import type { Row } from "./rows.ts";

export const BARE_NODE = "Node.js that does nothing";

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
  await using bare = await bareHaproxy(stack, version);
  const [passes, floors]: [PassJson[], BareTimes[]] = [[], []];
  for (let change = 0; change < changes; change++) {
    floors.push(await bare.measure());
    await sleep(SPACING_MS);
    const before = (await lastApplied(stack))?.pass ?? 0;
    await etcd.put(key(0), value(0, 2 + change));
    passes.push(await untilApplied(stack, servers, before));
  }
  await sleep(given.restMs);
  const memory = residentMiB(stack.daemon.pid);
  const at = `${servers.toLocaleString("en")} servers, HAProxy ${version}`;
  const figure = `memory at ${at}`;
  return [
    ...passRows(`pass at ${at}`, passes, floors),
    { figure, who: ROLLCALL, unit: "MiB", values: [memory], floor: BARE_NODE },
    { figure, who: BARE_NODE, unit: "MiB", values: [given.bareNode], floor: BARE_NODE },
  ];
}

function passRows(title: string, passes: readonly PassJson[], floors: readonly BareTimes[]): readonly Row[] {
  const rows = (what: string, own: readonly number[], bare: readonly number[] | null): readonly Row[] => {
    const [figure, unit, floor] = [`${title}: ${what}`, "ms" as const, bare && BARE];
    const first = { figure, who: ROLLCALL, unit, values: own, floor };
    return bare === null ? [first] : [first, { figure, who: BARE, unit, values: bare, floor }];
  };
  const stage = (name: "merge" | "render" | "check" | "commit" | "reload"): readonly number[] =>
    passes.map(({ timings }) => timings[name] ?? Number.NaN);
  const floor = (of: (times: BareTimes) => number): readonly number[] => floors.map(of);
  return [
    ...rows("merge", stage("merge"), null),
    ...rows("render", stage("render"), null),
    ...rows(
      "check",
      stage("check"),
      floor(({ check }) => check),
    ),
    ...rows("commit", stage("commit"), null),
    ...rows(
      "reload",
      stage("reload"),
      floor(({ reload }) => reload),
    ),
    ...rows(
      "in all",
      passes.map(({ durationMs }) => durationMs),
      floor(({ check, reload }) => check + reload),
    ),
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

/** Resident memory of a process. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

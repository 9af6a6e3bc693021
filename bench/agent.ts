import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { putMany } from "../test/support/etcd-bulk.ts";
import { type EtcdServer, startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { type RollcallProcess, startRollcall } from "../test/support/rollcall-process.ts";
import { storedKeys } from "../test/support/stored-keys.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { ROLLCALL } from "./actors.ts";
import { bareNode, BARE_NODE, residentMiB } from "./bare-node.ts";
import { etcdRequests, requestsBetween } from "./etcd-requests.ts";
import { manyAgents } from "./many-agents.ts";
import { type ManyContainers, manyContainers } from "./many-containers.ts";
import { manyServers } from "./many-servers.ts";
import type { Progress } from "./options.ts";
import type { Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";

const SERVERS = "/app/servers/";
const BY_HAND = "as many keys, 100 a transaction";

interface Seen {
  readonly containers: number;
  readonly registeredMs: readonly number[];
  readonly byHandMs: readonly number[];
  readonly keepalives: number;
  readonly cpuMs: number;
  readonly memoryMiB: number;
}

/** What one agent does beside few and beside many containers, and what many agents do to one etcd. */
export async function agent(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  await using containers = await manyContainers();
  const all: Seen[] = [];
  for (const count of sizes.agent.containers) {
    progress(`agent: starting containers, until there are ${count}`);
    await containers.grow(count);
    progress(`agent: ${sizes.agent.starts} starts, and a rest`);
    all.push(await measure(containers, sizes.agent));
  }
  const few = whoOf(sizes.agent.containers[0] ?? 0);
  const each = (given: Pick<Row, "figure" | "unit" | "floor">, value: (seen: Seen) => number): Row[] =>
    all.map((seen) => ({ ...given, who: whoOf(seen.containers), values: [value(seen)] }));
  const memory = { figure: "memory of an agent", unit: "MiB", floor: BARE_NODE } as const;
  return [
    ...all.flatMap(startRows),
    ...each(
      { figure: "keepalives of an agent in a lease's time", unit: "requests", floor: few },
      ({ keepalives }) => keepalives,
    ),
    ...each(
      { figure: "processor time of an agent at rest, in a minute", unit: "ms", floor: few },
      ({ cpuMs }) => cpuMs,
    ),
    ...each(memory, ({ memoryMiB }) => memoryMiB),
    { ...memory, who: BARE_NODE, values: [(await bareNode()).memoryMiB] },
    ...(await manyAgents(sizes, progress)),
  ];
}

const whoOf = (containers: number): string => `beside ${containers} containers`;

function startRows({ containers, registeredMs, byHandMs }: Seen): readonly Row[] {
  const row = {
    figure: `agent start -> ${containers} containers registered`,
    unit: "ms",
    floor: BY_HAND,
  } as const;
  return [
    { ...row, who: ROLLCALL, values: registeredMs },
    { ...row, who: BY_HAND, values: byHandMs },
  ];
}

async function measure(containers: ManyContainers, sizes: Sizes["agent"]): Promise<Seen> {
  const { count } = containers;
  await using etcd = await startEtcd();
  await using dir = await tempDir();
  const options = {
    "etcd-endpoints": `http://${etcd.endpoint}`,
    "docker-host": containers.engine.dockerHost,
    "label-prefix": containers.labelPrefix,
    "host-name": "bench",
    address: "container",
    "lease-ttl": `${sizes.leaseS}s`,
    "log-level": "info",
  };
  const [registeredMs, byHandMs]: [number[], number[]] = [[], []];
  await using daemon = await startRollcall({ dir: dir.path, options, command: "register" });
  for (let start = 0; start < sizes.starts; start++) {
    await daemon.kill("SIGTERM");
    byHandMs.push(await writeByHand(etcd, count));
    const startedAt = performance.now();
    await daemon.restart();
    await untilRegistered(etcd, count);
    registeredMs.push(performance.now() - startedAt);
  }
  return { containers: count, registeredMs, byHandMs, ...(await rest({ daemon, etcd, ...sizes })) };
}

async function writeByHand(etcd: EtcdServer, keys: number): Promise<number> {
  const entries = manyServers({ prefix: "/nobody/", servers: 2 * keys, words: "" });
  const startedAt = performance.now();
  await putMany(etcd, entries);
  return performance.now() - startedAt;
}

function untilRegistered(etcd: EtcdServer, count: number): Promise<void> {
  return eventually(
    async () => {
      const { size } = await storedKeys(etcd, SERVERS);
      if (size !== count) throw new Error(`${size} of ${count} containers are registered`);
    },
    { timeoutMs: 120_000, everyMs: 5 },
  );
}

/** Nothing happens for some leases' time. */
async function rest(given: {
  daemon: RollcallProcess;
  etcd: EtcdServer;
  restMs: number;
  leaseS: number;
  leases: number;
}): Promise<Pick<Seen, "keepalives" | "cpuMs" | "memoryMiB">> {
  const { daemon, etcd, leaseS, leases } = given;
  await sleep(given.restMs);
  const [before, cpuBefore] = [await etcdRequests(etcd), processorMs(daemon.pid)];
  await sleep(1000 * leaseS * leases);
  const [cpuMs, after] = [processorMs(daemon.pid) - cpuBefore, await etcdRequests(etcd)];
  const keepalives = requestsBetween(before, after).get("Lease/LeaseKeepAlive") ?? 0;
  return {
    keepalives: keepalives / leases,
    cpuMs: (cpuMs * 60) / (leaseS * leases),
    memoryMiB: residentMiB(daemon.pid),
  };
}

/** Processor time that all threads of a process have used. */
function processorMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const spent = tasks.map(
    (task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0],
  );
  return spent.reduce((sum, ns) => sum + Number(ns) / 1e6, 0);
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EtcdServer, startEtcd } from "../test/support/etcd-server.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import type { Guest } from "./change.ts";
import { type LoadBalancer, startLoadBalancer } from "./load-balancer.ts";
import type { Progress } from "./options.ts";
import { startPlainApp } from "./plain-app.ts";
import { startProber } from "./prober.ts";
import { quantile, type Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";

const ALONE = "one daemon alone";
/** Memory of one load balancer with all that belongs to it, and what is left to the rest of the machine. */
const MIB_EACH = 200;
const MIB_LEFT = 2048;
/** So many are started at the same time. */
const STARTERS = 3;
/** Of all probers together: more would be in the way of what is measured. */
const REQUESTS_PER_SECOND = 2000;
/** Longer than the option reload-interval: what is measured never waits for it. */
const REST_MS = 1100;

/** One put, and when each of many load balancers on one etcd serves it: the first of them, the middle one, the last. */
export async function spread({ spread: sizes }: Sizes, progress: Progress): Promise<readonly Row[]> {
  await using cleanup = new AsyncDisposableStack();
  const etcd = cleanup.use(await startEtcd());
  const { path } = cleanup.use(await tempDir());
  const guest = cleanup.use(await startPlainApp("guest"));
  const one = cleanup.use(await startLoadBalancer({ dir: join(path, "0"), etcd }));
  const start = async (index: number): Promise<LoadBalancer> =>
    cleanup.use(await startLoadBalancer({ dir: join(path, String(index)), etcd, like: one }));
  const alone = await waves({ balancers: [one], etcd, guest, puts: sizes.puts });
  const count = Math.min(sizes.daemons, daemonsThatFit());
  progress(`spread: starting ${count} daemons`);
  const others = await startMany(start, count);
  progress(`spread: ${sizes.puts} puts to ${count} daemons`);
  const together = await waves({ balancers: [one, ...others], etcd, guest, puts: sizes.puts });
  const row = (who: string, times: readonly (readonly number[])[], part: number): Row => ({
    figure: `one put -> served by each of ${count} daemons`,
    who,
    unit: "ms",
    values: times.map((each) => quantile(each, part)),
    floor: ALONE,
  });
  return [
    row(ALONE, alone, 1),
    row("the first of them", together, 0),
    row("the middle one", together, 0.5),
    row("the last", together, 1),
  ];
}

/** Numbers 1 to `count` - 1, a few at a time. */
async function startMany(
  start: (index: number) => Promise<LoadBalancer>,
  count: number,
): Promise<readonly LoadBalancer[]> {
  const started: LoadBalancer[] = [];
  let next = 1;
  const starter = async (): Promise<void> => {
    while (next < count) started.push(await start(next++));
  };
  await Promise.all(Array.from({ length: STARTERS }, starter));
  return started;
}

interface Waves {
  readonly balancers: readonly LoadBalancer[];
  readonly etcd: EtcdServer;
  readonly guest: Guest;
  readonly puts: number;
}

/** For each put the milliseconds of each load balancer. */
async function waves({ balancers, etcd, guest, puts }: Waves): Promise<readonly (readonly number[])[]> {
  const times: (readonly number[])[] = [];
  const key = `/app/servers/${guest.name}`;
  for (let put = 0; put < puts; put++) {
    await sleep(REST_MS);
    await using probers = probersOf(balancers);
    const startedAt = performance.now();
    await etcd.put(key, `${guest.address} check=off`);
    const answers = await Promise.all(probers.all.map((prober) => prober.firstAnswer(guest.name)));
    times.push(answers.map((at) => at - startedAt));
    await sleep(REST_MS);
    await etcd.del(key);
    await Promise.all(probers.all.map((prober) => prober.lastAnswer(guest.name)));
  }
  return times;
}

function probersOf(balancers: readonly LoadBalancer[]) {
  const pauseMs = Math.max(1, (1000 * balancers.length) / REQUESTS_PER_SECOND);
  const all = balancers.map(({ url }) => startProber(url, { pauseMs }));
  return {
    all,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((prober) => prober[Symbol.asyncDispose]()));
    },
  };
}

function daemonsThatFit(): number {
  const kib = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
  return Math.max(2, Math.floor((kib / 1024 - MIB_LEFT) / MIB_EACH));
}

import { setTimeout as sleep } from "node:timers/promises";
import { startApp } from "../test/support/app-server.ts";
import { startEtcd } from "../test/support/etcd-server.ts";
import { startProber } from "../test/support/prober.ts";
import { type Actor, handActor, naiveActor, NAIVE, rollcallActor } from "./actors.ts";
import type { Progress, Sizes } from "./options.ts";
import type { Row } from "./rows.ts";

/** Longer than the option reload-interval, counted from the last change: what is measured never waits for it. */
export const SPACING_MS = 1250;

/**
 * Time from a put to the first response of the new server, and from a delete to the last one of the old, with two
 * servers that stay. The actors take turns, in another order each round.
 */
export async function reaction(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  await using cleanup = new AsyncDisposableStack();
  const etcd = cleanup.use(await startEtcd());
  const given = { version: "3.2", etcd } as const;
  const actors: Actor[] = [];
  for (const start of [rollcallActor, naiveActor, handActor]) actors.push(cleanup.use(await start(given)));
  for (const name of ["stays1", "stays2"]) {
    const app = cleanup.use(await startApp({ name }));
    for (const actor of actors) await actor.put(name, app.address);
    await sleep(SPACING_MS);
  }
  const guest = cleanup.use(await startApp({ name: "guest" }));
  const [came, went] = [times(actors), times(actors)];
  for (let round = 0; round < sizes.changes; round++) {
    progress(`put and delete: round ${round + 1} of ${sizes.changes}`);
    const order = actors.toSpliced(0, round % 3).concat(actors.slice(0, round % 3));
    for (const actor of order) came.get(actor.who)?.push(await comes(actor, guest));
    await sleep(SPACING_MS);
    for (const actor of order) went.get(actor.who)?.push(await goes(actor, guest));
    await sleep(SPACING_MS);
  }
  const rows = (figure: string, values: ReadonlyMap<string, number[]>): readonly Row[] =>
    [...values].map(([who, found]) => ({ figure, who, unit: "ms", values: found, floor: NAIVE }));
  return [...rows("etcd put -> first response", came), ...rows("etcd delete -> last response", went)];
}

const times = (actors: readonly Actor[]): Map<string, number[]> =>
  new Map(actors.map(({ who }) => [who, []]));

interface Guest {
  readonly name: string;
  readonly address: string;
}

async function comes(actor: Actor, { name, address }: Guest): Promise<number> {
  await using prober = startProber(actor.url);
  const startedAt = performance.now();
  void actor.put(name, address);
  return (await prober.firstAnswer(name)) - startedAt;
}

async function goes(actor: Actor, { name }: Guest): Promise<number> {
  await using prober = startProber(actor.url);
  await prober.firstAnswer(name);
  const startedAt = performance.now();
  void actor.del(name);
  return Math.max(0, (await prober.lastAnswer(name)) - startedAt);
}

import { setTimeout as sleep } from "node:timers/promises";
import { startEtcd } from "../test/support/etcd-server.ts";
import { type Actor, type ActorOptions, handActor, rollcallActor } from "./actors.ts";
import { comes, goes, untilServed, weighs } from "./change.ts";
import type { Progress } from "./options.ts";
import { startPlainApp } from "./plain-app.ts";
import type { Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";
import { keptShellActor, naiveActor, SHELL_LOOP, shellActor } from "./watch-actors.ts";

/** A pass goes on for some 60 ms after the new server has its first request: no change is to wait for another. */
const REST_MS = 150;
/** Every so many rounds those who reload take their turn too, and a weight is changed. */
const RELOADS_EVERY = 8;
const WEIGHT_EVERY = 4;

/**
 * Time from a put to the first response of the new server, from a delete to the last one of the old, with two servers
 * that stay, and from a changed weight until HAProxy has it. The actors take turns, in another order each round.
 */
export async function reaction(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  await using cleanup = new AsyncDisposableStack();
  const given: ActorOptions = { version: "3.2", etcd: cleanup.use(await startEtcd()) };
  const actors: Actor[] = [];
  for (const start of [rollcallActor, shellActor, keptShellActor, naiveActor, handActor])
    actors.push(cleanup.use(await start(given)));
  const stays = [
    cleanup.use(await startPlainApp("stays1")),
    cleanup.use(await startPlainApp("stays2")),
  ] as const;
  const guest = cleanup.use(await startPlainApp("guest"));
  for (const actor of actors) await untilServed(actor, stays);
  const [came, went, weighed]: [Times, Times, Times] = [new Map(), new Map(), new Map()];
  for (let round = 0; round < sizes.changes; round++) {
    if (round % 10 === 0) progress(`put and delete: round ${round + 1} of ${sizes.changes}`);
    const now = turned(round % RELOADS_EVERY === 0 ? actors : actors.slice(0, 3), round);
    for (const actor of now) note(came, actor, await comes(actor, guest));
    await sleep(REST_MS);
    for (const actor of now) note(went, actor, await goes(actor, guest));
    await sleep(REST_MS);
    if (round % WEIGHT_EVERY !== 0) continue;
    const weight = 2 - ((round / WEIGHT_EVERY) % 2);
    for (const actor of turned(actors.slice(0, 3), round))
      note(weighed, actor, await weighs(actor, stays[0], weight));
    await sleep(REST_MS);
  }
  return [
    ...rows("etcd put -> first response", came),
    ...rows("etcd delete -> last response", went),
    ...rows("etcd put of a weight -> in force", weighed),
  ];
}

/** What each actor took, in milliseconds. */
type Times = Map<string, number[]>;

function note(times: Times, { who }: Actor, ms: number): void {
  times.set(who, [...(times.get(who) ?? []), ms]);
}

const rows = (figure: string, times: Times): readonly Row[] =>
  [...times].map(([who, values]) => ({ figure, who, unit: "ms", values, floor: SHELL_LOOP }));

/** The same in another order each round: a turn to the left for each. */
function turned<T>(all: readonly T[], round: number): readonly T[] {
  const by = round % all.length;
  return [...all.slice(by), ...all.slice(0, by)];
}

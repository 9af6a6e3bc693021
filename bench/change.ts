import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../test/support/eventually.ts";
import type { Actor } from "./actors.ts";
import { httpClient } from "./http-client.ts";
import { startProber } from "./prober.ts";

export interface Guest {
  readonly name: string;
  readonly address: string;
}

/** So long a prober has asked before the clock starts, in milliseconds. */
const WARM_UP_MS = 5;

/** Milliseconds from the moment a put is sent until the server answers a request through HAProxy. */
export async function comes(actor: Pick<Actor, "url" | "put">, guest: Guest): Promise<number> {
  await using prober = startProber(actor.url);
  await sleep(WARM_UP_MS);
  const startedAt = performance.now();
  const put = actor.put(guest.name, guest.address);
  const answeredAt = await prober.firstAnswer(guest.name);
  await put;
  return answeredAt - startedAt;
}

/** Milliseconds from the moment a delete is sent until the last answer of the server. */
export async function goes(actor: Pick<Actor, "url" | "del">, { name }: Guest): Promise<number> {
  await using prober = startProber(actor.url);
  await prober.firstAnswer(name);
  await sleep(WARM_UP_MS);
  const startedAt = performance.now();
  const deleted = actor.del(name);
  const answeredAt = await prober.lastAnswer(name);
  await deleted;
  return answeredAt - startedAt;
}

/** Milliseconds from the moment another weight of a server is put until HAProxy, asked again and again, tells it. */
export async function weighs(
  actor: Pick<Actor, "put" | "show">,
  { name, address }: Guest,
  weight: number,
): Promise<number> {
  const startedAt = performance.now();
  const put = actor.put(name, `${address} weight=${weight}`);
  await eventually(
    async () => {
      const answer = await actor.show(`get weight webserver/${name}`);
      if (!answer.startsWith(`${weight} `)) throw new Error(`weight: ${answer}`);
    },
    { everyMs: 0 },
  );
  const seenAt = performance.now();
  await put;
  return seenAt - startedAt;
}

/** Puts servers until all of them answer: who has only just begun to watch, or reloads, may have missed the first put. */
export async function untilServed(
  actor: Pick<Actor, "url" | "put">,
  guests: readonly Guest[],
): Promise<void> {
  const client = httpClient(actor.url);
  await eventually(
    async () => {
      for (const { name, address } of guests) {
        await actor.put(name, address);
        await sleep(150);
      }
      const seen = new Set<string>();
      for (let request = 0; request < 10; request++) seen.add(await client.ask());
      if (guests.some(({ name }) => !seen.has(name))) throw new Error(`served: ${[...seen].join(", ")}`);
    },
    { timeoutMs: 30_000, everyMs: 1000 },
  );
  client.close();
}

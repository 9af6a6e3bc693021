import { setTimeout as sleep } from "node:timers/promises";
import { httpClient } from "./http-client.ts";

/**
 * Asks HAProxy again and again and notes who answers when. Without a pause the next request goes out when the last one
 * is answered, about every 0.15 ms, and takes a good part of one core: it runs only while something is waited for.
 * All times are those of `performance.now()`.
 */
export interface Prober extends AsyncDisposable {
  readonly sent: number;
  /** Resolves with the time of the first answer of that server since the start. */
  firstAnswer(name: string): Promise<number>;
  /** Resolves with the time of the last answer of that server, after 50 requests that it did not answer. */
  lastAnswer(name: string): Promise<number>;
}

const GONE_AFTER = 50;
const TIMEOUT_MS = 60_000;

interface Sighting {
  readonly firstAt: number;
  readonly lastAt: number;
  /** Requests since its last answer. */
  readonly missed: number;
}

/**
 * @param url `http://127.0.0.1:PORT` of a frontend whose servers tell their names in the header `x-server`.
 * @param given.pauseMs Time between two requests; none when not given.
 */
export function startProber(url: string, given: { pauseMs?: number } = {}): Prober {
  const client = httpClient(url);
  const sightings = new Map<string, Sighting>();
  const waiters = new Set<() => void>();
  const state = { running: true, sent: 0 };

  function note(name: string): void {
    const at = performance.now();
    for (const [other, seen] of sightings) sightings.set(other, { ...seen, missed: seen.missed + 1 });
    sightings.set(name, { firstAt: sightings.get(name)?.firstAt ?? at, lastAt: at, missed: 0 });
    for (const look of waiters) look();
  }

  async function run(): Promise<void> {
    while (state.running) {
      state.sent++;
      note(await client.ask().catch(() => "no answer"));
      if (given.pauseMs !== undefined) await sleep(given.pauseMs);
    }
    client.close();
  }

  function until(what: string, find: () => number | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.delete(look);
        reject(new Error(`${url}: ${what}; seen: ${[...sightings.keys()].join(", ")}`));
      }, TIMEOUT_MS);
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        waiters.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      waiters.add(look);
      look();
    });
  }

  const done = run();
  return {
    get sent() {
      return state.sent;
    },
    firstAnswer: (name) => until(`no answer of ${name}`, () => sightings.get(name)?.firstAt),
    lastAnswer: (name) =>
      until(`${name} did not stop answering`, () => {
        const seen = sightings.get(name);
        return seen !== undefined && seen.missed >= GONE_AFTER ? seen.lastAt : undefined;
      }),
    [Symbol.asyncDispose]: async () => {
      state.running = false;
      await done;
    },
  };
}

import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks once, on a connection of its own, and resolves with the name of the server in the header `x-server`.
 * @throws Error with the reason (`503`, `ECONNREFUSED`, `timeout`) when there is no good answer.
 */
export function whoAnswers(url: string, timeoutMs = 5000): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      const name = response.headers["x-server"];
      response.on("end", () => {
        if (response.statusCode === 200 && typeof name === "string") resolve(name);
        else reject(new Error(String(response.statusCode)));
      });
      response.on("error", reject).resume();
    });
    sent.on("timeout", () => sent.destroy(new Error("timeout")));
    sent.on("error", (error: NodeJS.ErrnoException) => {
      reject(new Error(error.code ?? error.message, { cause: error }));
    });
  });
}

/** Times are those of `performance.now()`. */
interface Sighting {
  firstAt: number;
  lastAt: number;
  /** Answers of others and failures since its last one. */
  missed: number;
}

/** Asks an address again and again, about 500 times a second, and notes who answers when. */
export interface Prober extends AsyncDisposable {
  readonly sent: number;
  /** Requests that got no good answer, by reason. */
  readonly failures: ReadonlyMap<string, number>;
  /** Resolves with the time of the first answer of that server since the prober was started. */
  firstAnswer(name: string, wait?: Wait): Promise<number>;
  /** Resolves with the time of the last answer of that server, after 50 requests that it did not answer. */
  lastAnswer(name: string, wait?: Wait): Promise<number>;
}

export interface Wait {
  /** 20 seconds when not given. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const GONE_AFTER = 50;
const PAUSE_MS = 1;

export function startProber(url: string): Prober {
  const sightings = new Map<string, Sighting>();
  const failures = new Map<string, number>();
  const state = { running: true, sent: 0 };

  async function ask(): Promise<void> {
    state.sent++;
    const answer = await whoAnswers(url).catch((error: unknown) => error as Error);
    const at = performance.now();
    for (const sighting of sightings.values()) sighting.missed++;
    if (typeof answer !== "string") {
      failures.set(answer.message, (failures.get(answer.message) ?? 0) + 1);
      return;
    }
    const firstAt = sightings.get(answer)?.firstAt ?? at;
    sightings.set(answer, { firstAt, lastAt: at, missed: 0 });
  }

  async function run(): Promise<void> {
    while (state.running) {
      await ask();
      await sleep(PAUSE_MS);
    }
  }

  async function until<T>(what: string, look: () => T | undefined, wait: Wait = {}): Promise<T> {
    const { timeoutMs = 20_000, signal } = wait;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        const seen = [...sightings.keys(), ...failures.keys()].join(", ");
        throw new Error(`${url}: ${what} within ${timeoutMs / 1000} s; seen: ${seen}`);
      }
      signal?.throwIfAborted();
      await sleep(PAUSE_MS);
    }
  }

  const done = run();
  return {
    get sent() {
      return state.sent;
    },
    failures,
    firstAnswer: (name, wait) => until(`no answer of ${name}`, () => sightings.get(name)?.firstAt, wait),
    lastAnswer: (name, wait) =>
      until(
        `${name} did not stop answering`,
        () => {
          const seen = sightings.get(name);
          return seen !== undefined && seen.missed >= GONE_AFTER ? seen.lastAt : undefined;
        },
        wait,
      ),
    [Symbol.asyncDispose]: async () => {
      state.running = false;
      await done;
    },
  };
}

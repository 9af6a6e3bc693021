import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PassJson, StatusJson } from "../../src/observe/status-json.ts";
import { Child } from "../lab/child.ts";

/** The Rollcall that the demo started, seen through its HTTP endpoints. */
export interface Daemon extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** Resolves when /readyz says so. */
  ready(): Promise<void>;
  /** Number of its last pass. */
  lastPass(): Promise<number>;
  /** Resolves with the changes that later passes have applied, oldest first; waits for the first of them. */
  appliedAfter(pass: number): Promise<readonly PassJson[]>;
}

const POLL_MS = 10;
const TIMEOUT_MS = 20_000;
/** What does not end by itself within this time is killed. */
const END_MS = 700;

export function startDaemon(given: {
  command: readonly [string, ...string[]];
  env: Record<string, string>;
  logFile: string;
  /** `127.0.0.1:8405` */
  http: string;
  signal: AbortSignal;
}): Daemon {
  const { command, env, logFile, signal } = given;
  const child = new Child({ command, env, logFile });
  const url = `http://${given.http}`;

  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (child.alive && performance.now() < deadline) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      await sleep(POLL_MS, undefined, { signal });
    }
    signal.throwIfAborted();
    const state = child.alive ? `not within ${TIMEOUT_MS / 1000} s` : "it has ended";
    throw new Error(`Rollcall ${what}: ${state}. Its log ends so:\n${tail(logFile)}`);
  }

  const status = async (): Promise<StatusJson> =>
    (await (await fetch(`${url}/api/status`)).json()) as StatusJson;

  return {
    url,
    ready: async () => {
      await until("is ready", async () => (await fetch(`${url}/readyz`)).ok || undefined);
    },
    lastPass: async () => (await status()).lastPass?.pass ?? 0,
    appliedAfter: (before) =>
      until("applies a change", async () => {
        const { changes } = await status();
        const found = changes.filter(({ kind, pass }) => kind === "applied" && pass > before);
        return found.length === 0 ? undefined : found.toReversed();
      }),
    async [Symbol.asyncDispose]() {
      if (!child.alive) return;
      child.signal("SIGTERM");
      await Promise.race([child.exited, sleep(END_MS)]);
      await child.kill();
    },
  };
}

const tail = (file: string): string => readFileSync(file, "utf8").slice(-2000);

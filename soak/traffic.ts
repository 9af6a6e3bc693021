import { startLoad } from "../test/support/load.ts";
import type { Excuses } from "./excuses.ts";

/** Requests all the time, half of them on connections that stay. */
export interface Traffic extends AsyncDisposable {
  readonly sent: number;
  readonly failed: number;
  readonly slowestMs: number;
}

const CLIENTS = 3;
const PAUSE_MS = 15;
/** Longer than anything that HAProxy waits for. */
const TIMEOUT_MS = 40_000;

/** @param options.maxSeconds after which it ends by itself. */
export function startTraffic(options: { url: string; maxSeconds: number; excuses: Excuses }): Traffic {
  const { url, maxSeconds, excuses } = options;
  const loads = [true, false].map((keepAlive) =>
    startLoad({
      url,
      connections: CLIENTS,
      keepAlive,
      maxSeconds,
      pauseMs: PAUSE_MS,
      timeoutMs: TIMEOUT_MS,
      onFailure: excuses.fail,
    }),
  );
  const sum = (count: "sent" | "failed"): number => loads.reduce((all, { result }) => all + result[count], 0);
  return {
    get sent() {
      return sum("sent");
    },
    get failed() {
      return sum("failed");
    },
    get slowestMs() {
      return Math.max(...loads.map(({ result }) => result.slowestMs));
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all(loads.map((load) => load.stop()))),
  };
}

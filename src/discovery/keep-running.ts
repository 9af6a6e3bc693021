import { backoff } from "../lib/backoff.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { sleep } from "../lib/sleep.ts";
import type { Board } from "./board.ts";
import type { Source } from "./source.ts";

/** Delay after the first failure, and the longest one, in milliseconds. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * Runs `source` until `signal` aborts, again and again: after each break it waits (100 ms, twice that, up to 5 s,
 * spread at random) and starts anew, which means a full list. Each break is told to the board; the log gets one line
 * when a source breaks and one when it is back, not one an attempt.
 */
export async function keepRunning(options: {
  source: Source;
  board: Board;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { source, board, signal } = options;
  const log = options.log.child({ source: source.name });
  const retry = backoff({ firstMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS });
  let broken: string | null = null;
  while (!signal.aborted) {
    try {
      await source.run((snapshot) => {
        if (broken !== null) log.info({ revision: snapshot.revision }, "source is back");
        broken = null;
        retry.reset();
        board.put(snapshot);
      }, signal);
      if (signal.aborted) return;
      throw new Error("the source ended by itself");
    } catch (thrown) {
      if (signal.aborted) return;
      const error = messageOf(thrown);
      board.down(source.name, error);
      if (error !== broken) log.warn({ reason: error }, "source is down, its last picture stands");
      broken = error;
    }
    await sleep(retry.next(), signal);
  }
}

import type { Stopwatch } from "./core/outcome.ts";
import type { Stamped } from "./core/stamp.ts";
import type { Haproxy } from "./haproxy/haproxy.ts";

/**
 * Keeps the live file up with what HAProxy runs after changes that needed no reload. The check takes far longer than
 * such a change, so that it goes on beside the next passes, and takes a sixth of a processor at most; a HAProxy that
 * starts anew meanwhile is told at once what its file lacked.
 */
export interface FileKeeper {
  /** What the file holds, and HAProxy ran too; null = not known. */
  held(): Stamped | null;
  note(text: Stamped): void;
  /**
   * Begins to write what HAProxy runs, unless it is written already or not due, and waits for the end; `interrupted`
   * ends the waiting, not the writing.
   * @throws HaproxyError when a write failed, this one or one before.
   */
  settle(text: Stamped, given: { stopwatch: Stopwatch; interrupted: Promise<void> }): Promise<void>;
  /**
   * Writes it at once.
   * @throws HaproxyError
   */
  write(text: Stamped, stopwatch: Stopwatch): Promise<void>;
  /** Waits for a write that goes on; what became of it is told by the next `settle`. */
  idle(): Promise<void>;
  /** When the file is due to hold `text`, by `monotonicMs`; Infinity = it does, or is about to. */
  dueMs(text: Stamped): number;
}

/** A write is followed by another one after so many times the time that it took, that is most of it the check. */
const PAUSE = 5;
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5000;

export function fileKeeper(options: {
  haproxy: Pick<Haproxy, "write" | "noteProven">;
  monotonicMs: () => number;
  /** A write has ended that nobody waited for. */
  onWritten: () => void;
}): FileKeeper {
  const { haproxy, monotonicMs } = options;
  let held: Stamped | null = null;
  let dueMs = -Infinity;
  let running: Promise<void> | null = null;
  let failure: { error: Error; text: string } | null = null;

  async function write(text: Stamped, stopwatch: Stopwatch): Promise<void> {
    await running;
    await haproxy.write(text, stopwatch);
    await haproxy.noteProven(text);
    held = text;
  }

  function begin(text: Stamped, stopwatch: Stopwatch): { wait: Promise<void>; leave: () => void } {
    let isAwaited = true;
    const startedMs = monotonicMs();
    const wait = write(text, stopwatch)
      .catch((error: unknown) => {
        failure = { error: error instanceof Error ? error : new Error(String(error)), text: text.text };
      })
      .finally(() => {
        running = null;
        const tookMs = monotonicMs() - startedMs;
        dueMs = monotonicMs() + Math.min(Math.max(PAUSE * tookMs, MIN_PAUSE_MS), MAX_PAUSE_MS);
        if (!isAwaited) options.onWritten();
      });
    running = wait;
    return {
      wait,
      leave: () => {
        isAwaited = false;
      },
    };
  }

  return {
    held: () => held,
    note: (text) => {
      failure = null;
      held = text;
    },
    settle: async (text, { stopwatch, interrupted }) => {
      // What another text lacked says nothing of this one, which is tried at once, and waited for.
      const isAnother = failure !== null && failure.text !== text.text;
      if (isAnother) [failure, dueMs] = [null, -Infinity];
      if (failure === null && running === null && held?.text !== text.text && monotonicMs() >= dueMs) {
        const { wait, leave } = begin(text, stopwatch);
        await (isAnother ? wait : Promise.race([wait, interrupted]));
        leave();
      }
      const found = failure;
      failure = null;
      if (found !== null) throw found.error;
    },
    write,
    idle: async () => {
      await running;
    },
    dueMs: (text) => (running !== null || held?.text === text.text ? Infinity : dueMs),
  };
}

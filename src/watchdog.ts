import { Worker } from "node:worker_threads";
import { messageOf } from "./lib/errors.ts";
import type { Logger } from "./lib/logger.ts";

/** A watch over the process that ends it when it hangs. */
export interface Watchdog {
  stop(): Promise<void>;
}

/** The thread does nothing but look at a number. */
const LIMITS = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };
/** Beats within the limit, and looks of the thread. */
const [BEATS, LOOKS] = [8, 4];

/**
 * What the thread runs. It is text, since a file of TypeScript would bring the compiler into the thread (20 MB). The
 * one signal that needs nobody's help ends the process, for one that hangs hears no other.
 */
const THREAD = `
const { writeSync } = require("node:fs");
const { workerData: { beats, limitMs, looks } } = require("node:worker_threads");
let seen = Atomics.load(beats, 0);
let still = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  still = now === seen ? still + 1 : 0;
  seen = now;
  if (still < looks) return;
  const line = { level: "error", time: new Date(), limitMs, msg: "hangs, and is ended to be started again" };
  try {
    writeSync(2, JSON.stringify(line) + "\\n");
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
}, limitMs / looks);
`;

/**
 * Ends the process (SIGKILL) when its event loop has stood still, or `isAlive` has been false, for `limitMs`; null = never. Whoever
 * supervises it starts it again. A suspended machine is no hang: the thread counts its own looks, not the clock.
 */
export function startWatchdog(options: {
  limitMs: number | null;
  isAlive: () => boolean;
  log: Logger;
}): Watchdog {
  const { limitMs, isAlive, log } = options;
  if (limitMs === null) return { stop: () => Promise.resolve() };
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const timer = setInterval(() => {
    if (isAlive()) Atomics.add(beats, 0, 1);
  }, limitMs / BEATS);
  timer.unref();
  const workerData = { beats, limitMs, looks: LOOKS };
  const thread = new Worker(THREAD, { eval: true, workerData, resourceLimits: LIMITS });
  // Too many files or threads, or no memory: to end for that would be worse than to go on without.
  thread.on("error", (error: unknown) => {
    log.error({ reason: messageOf(error) }, "nobody watches over hangs, the thread for it could not run");
  });
  thread.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}

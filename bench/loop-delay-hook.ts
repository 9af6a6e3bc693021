/**
 * Loaded into the daemon by `node --import` (see loop-delay.ts). Every 2 ms it looks how long ago it looked last, and how
 * much processor time the main thread has used since; at SIGUSR2 it writes the longest of each since the last SIGUSR2
 * to the file that BENCH_LOOP_DELAY names. So a block is seen up to 2 ms longer than it was.
 */
import { renameSync, writeFileSync } from "node:fs";

const LOOK_MS = 2;

interface Look {
  readonly wallMs: number;
  readonly cpuMs: number;
}

function look(): Look {
  const { user, system } = process.threadCpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

let last = look();
let longest: Look = { wallMs: 0, cpuMs: 0 };

setInterval(() => {
  const now = look();
  longest = {
    wallMs: Math.max(longest.wallMs, now.wallMs - last.wallMs),
    cpuMs: Math.max(longest.cpuMs, now.cpuMs - last.cpuMs),
  };
  last = now;
}, LOOK_MS).unref();

process.on("SIGUSR2", () => {
  const file = process.env["BENCH_LOOP_DELAY"];
  if (file === undefined) return;
  writeFileSync(`${file}.new`, JSON.stringify(longest));
  renameSync(`${file}.new`, file);
  longest = { wallMs: 0, cpuMs: 0 };
});

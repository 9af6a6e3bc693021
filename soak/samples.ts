import { readdirSync, readFileSync } from "node:fs";

/** What a process takes at a moment. */
export interface Sample {
  /** Seconds since the beginning. */
  readonly atS: number;
  readonly pid: number;
  readonly rssMb: number;
  readonly descriptors: number;
  /** Processes that it has started: those that run, and those that ended without its having looked. */
  readonly children: number;
  readonly zombies: number;
}

/** @returns null when the process is gone. */
export function takeSample(pid: number, atS: number): Sample | null {
  try {
    const kb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? NaN);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    const states = childrenOf(pid).map(stateOf);
    const zombies = states.filter((state) => state === "Z").length;
    const children = states.filter((state) => state !== "Z" && state !== "").length;
    return Number.isNaN(kb) ? null : { atS, pid, rssMb: kb / 1024, descriptors, children, zombies };
  } catch {
    return null;
  }
}

function childrenOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

function stateOf(pid: number): string {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

const LONG_ENOUGH_S = 240;

/** By how much `of` grows in an hour, by least squares; null when they are of less than four minutes. */
export function slopePerHour(samples: readonly Sample[], of: (sample: Sample) => number): number | null {
  if ((samples.at(-1)?.atS ?? 0) - (samples[0]?.atS ?? 0) < LONG_ENOUGH_S) return null;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [atS, values] = [samples.map((one) => one.atS), samples.map(of)];
  const [middleS, middle] = [mean(atS), mean(values)];
  const spread = mean(atS.map((at) => (at - middleS) ** 2));
  const shared = mean(atS.map((at, index) => (at - middleS) * ((values[index] ?? middle) - middle)));
  return spread === 0 ? null : (shared / spread) * 3600;
}

/** Until then a process takes more and more, whatever it does: code is compiled, the heap finds its size. */
const WARM_S = 300;

/** Those of the last process in the second half of the run, without its first five minutes. */
export function secondHalf(samples: readonly Sample[]): readonly Sample[] {
  const last = samples.at(-1);
  const own = samples.filter(({ pid }) => pid === last?.pid);
  const fromS = Math.max((last?.atS ?? 0) / 2, (own[0]?.atS ?? 0) + WARM_S);
  return own.filter(({ atS }) => atS >= fromS);
}

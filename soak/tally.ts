import type { Lab } from "./lab.ts";
import type { Figures } from "./report.ts";
import { type Sample, takeSample } from "./samples.ts";
import type { Traffic } from "./traffic.ts";

/** What was done and seen so far. */
export interface Tally {
  /** Tells of something that should not have happened. */
  say(problem: unknown): void;
  fault(name: string): void;
  round(number: number): void;
  changes(count: number): void;
  /** HAProxy ran what is wanted so many milliseconds after all was whole. */
  converged(ms: number): void;
  sample(pid: number): void;
  readonly elapsedMs: number;
  /** Without the reloads, which stand in a log of many megabytes. */
  figures(parts: { lab: Lab; traffic: Traffic }): Omit<Figures, "reloads">;
}

export function tally({ seed, write }: { seed: number; write: (line: string) => void }): Tally {
  const startedAt = performance.now();
  const [problems, samples, convergedMs]: [string[], Sample[], number[]] = [[], [], []];
  const faults = new Map<string, number>();
  const count = { rounds: 0, changes: 0 };
  const elapsedMs = (): number => performance.now() - startedAt;
  return {
    say: (problem) => {
      const text = problem instanceof Error ? problem.message : String(problem);
      problems.push(`round ${count.rounds}: ${text}`);
      write(`${(elapsedMs() / 1000).toFixed(0).padStart(5)} s  PROBLEM in round ${count.rounds}: ${text}`);
    },
    fault: (name) => void faults.set(name, (faults.get(name) ?? 0) + 1),
    round: (number) => void (count.rounds = number),
    changes: (more) => void (count.changes += more),
    converged: (ms) => void convergedMs.push(ms),
    sample: (pid) => {
      const taken = takeSample(pid, elapsedMs() / 1000);
      if (taken !== null) samples.push(taken);
    },
    get elapsedMs() {
      return elapsedMs();
    },
    figures: ({ lab: { excuses, haproxy }, traffic }) => ({
      ...{ seed, faults, convergedMs, samples, problems },
      ...count,
      minutes: elapsedMs() / 60_000,
      sent: traffic.sent,
      failed: traffic.failed,
      slowestMs: traffic.slowestMs,
      explained: excuses.explained(),
      unexplained: excuses.unexplained(),
      haproxyStarts: haproxy.starts,
    }),
  };
}

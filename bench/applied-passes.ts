import { STAGES, type Stage, type StageTimings } from "../src/core/outcome.ts";
import { eventually } from "../test/support/eventually.ts";
import type { RollcallProcess } from "../test/support/rollcall-process.ts";

/** A pass that changed something, as the daemon's log has it. */
export interface AppliedPass {
  readonly pass: number;
  readonly way: "runtime" | "reload";
  readonly servers: number;
  readonly durationMs: number;
  readonly timings: StageTimings;
}

/**
 * All of them so far, from the log: `/api/status` says the same, but with 10,000 servers the daemon is busy with the
 * answer for longer than with what is measured.
 */
export const appliedPasses = (daemon: RollcallProcess): readonly AppliedPass[] =>
  daemon.log().filter(({ msg }) => msg === "applied") as unknown as AppliedPass[];

/** Resolves with the first pass after number `after` that applied this many servers. */
export function untilApplied(
  daemon: RollcallProcess,
  { servers, after = 0 }: { servers: number; after?: number },
): Promise<AppliedPass> {
  return eventually(
    () => {
      const passes = appliedPasses(daemon);
      const found = passes.find((one) => one.pass > after && one.servers === servers);
      if (found !== undefined) return found;
      throw new Error(`the last change that was applied: ${JSON.stringify(passes.at(-1))}`);
    },
    { timeoutMs: 120_000, everyMs: 20 },
  );
}

/** The stages that these passes had, each with its milliseconds in those that had it. */
export function byStage(passes: readonly AppliedPass[]): readonly (readonly [Stage, readonly number[]])[] {
  return STAGES.map((stage) => {
    const values = passes.flatMap(({ timings }) => timings[stage] ?? []);
    return [stage, values] as const;
  }).filter(([, values]) => values.length > 0);
}

import type { Stage } from "../src/core/outcome.ts";
import { ROLLCALL } from "./actors.ts";
import { type AppliedPass, byStage } from "./applied-passes.ts";
import { BARE, type BareTimes } from "./bare-haproxy.ts";
import { BARE_NODE } from "./bare-node.ts";
import type { LongestBlock } from "./loop-delay.ts";
import type { Scale } from "./sizes.ts";
import type { Row } from "./rows.ts";

/** What was found at one number of servers. */
export interface ScaleResult {
  readonly scale: Scale;
  /** From each put to the first response. */
  readonly came: readonly number[];
  /** The passes that the puts caused. */
  readonly passes: readonly AppliedPass[];
  readonly floors: readonly BareTimes[];
  readonly block: LongestBlock;
  readonly memoryMiB: number;
}

/** The rows of all scales, what belongs together side by side; the fewest servers are the floor of the reaction. */
export function scaleRows(results: readonly ScaleResult[], given: { bareNodeMiB: number }): readonly Row[] {
  const versions = [...new Set(results.map(({ scale }) => scale.version))];
  return [
    ...versions.flatMap((version) => reactions(results.filter(({ scale }) => scale.version === version))),
    ...results.flatMap(passes),
    ...results.flatMap((result) => loopAndMemory(result, given.bareNodeMiB)),
  ];
}

const count = ({ servers }: Scale): string => `${servers.toLocaleString("en")} servers`;
const place = (scale: Scale): string => `${count(scale)}, HAProxy ${scale.version}`;

function reactions(results: readonly ScaleResult[]): readonly Row[] {
  const [first] = results;
  return results.map(({ scale, came }) => ({
    figure: `etcd put -> first response, HAProxy ${scale.version}`,
    who: `beside ${count(scale)}`,
    unit: "ms",
    values: came,
    floor: first === undefined ? null : `beside ${count(first.scale)}`,
  }));
}

/** Which part of HAProxy's own time belongs to a stage; the other stages are none of HAProxy's business. */
const BARE_STAGES: Partial<Record<Stage, keyof BareTimes>> = {
  runtime: "runtime",
  check: "check",
  reload: "reload",
};

function passes({ scale, passes: own, floors }: ScaleResult): readonly Row[] {
  const pair = (what: string, values: readonly number[], bare: readonly number[] | null): readonly Row[] => {
    const [figure, floor] = [`pass at ${place(scale)}: ${what}`, bare && BARE];
    const row = { figure, who: ROLLCALL, unit: "ms", values, floor } as const;
    return bare === null ? [row] : [row, { ...row, who: BARE, values: bare }];
  };
  const stages = byStage(own);
  const parts = stages.flatMap(([stage]) => BARE_STAGES[stage] ?? []);
  const bare = (names: readonly (keyof BareTimes)[]): readonly number[] =>
    floors.map((times) => names.reduce((sum, name) => sum + times[name], 0));
  return [
    ...stages.flatMap(([stage, values]) => {
      const part = BARE_STAGES[stage];
      return pair(stage, values, part === undefined ? null : bare([part]));
    }),
    ...pair(
      "in all",
      own.map(({ durationMs }) => durationMs),
      bare(parts),
    ),
  ];
}

function loopAndMemory({ scale, block, memoryMiB }: ScaleResult, bareNodeMiB: number): readonly Row[] {
  const at = place(scale);
  const longest = { figure: `longest block of the event loop at ${at}`, unit: "ms", floor: null } as const;
  const memory = { figure: `memory at ${at}`, unit: "MiB", floor: BARE_NODE } as const;
  return [
    { ...longest, who: ROLLCALL, values: [block.wallMs] },
    { ...longest, who: "its processor time", values: [block.cpuMs] },
    { ...memory, who: ROLLCALL, values: [memoryMiB] },
    { ...memory, who: BARE_NODE, values: [bareNodeMiB] },
  ];
}

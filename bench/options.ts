import { parseArgs } from "node:util";
import type { HaproxyVersion } from "../scripts/lab/haproxy.ts";

/** Tells what is being done, once in a while. */
export type Progress = (what: string) => void;

/** How often everything is measured. */
export interface Sizes {
  /** Puts and deletes. */
  readonly changes: number;
  readonly containers: number;
  readonly starts: number;
  /** Numbers of servers, each with the HAProxy that is to serve them and the number of changes. */
  readonly scales: readonly {
    readonly servers: number;
    readonly version: HaproxyVersion;
    readonly changes: number;
  }[];
  /** How long the daemon is left alone before its memory is read, in milliseconds. */
  readonly restMs: number;
}

export interface BenchOptions {
  readonly sizes: Sizes;
  /** Where the results go as JSON too; null = nowhere. */
  readonly json: string | null;
  readonly help: boolean;
}

const FULL: Sizes = {
  changes: 30,
  containers: 8,
  starts: 10,
  scales: [
    { servers: 10, version: "3.2", changes: 10 },
    { servers: 1000, version: "3.2", changes: 10 },
    { servers: 10_000, version: "3.2", changes: 10 },
    { servers: 10_000, version: "3.0", changes: 2 },
  ],
  restMs: 5000,
};

const QUICK: Sizes = {
  changes: 1,
  containers: 1,
  starts: 1,
  scales: [
    { servers: 10, version: "3.2", changes: 1 },
    { servers: 1000, version: "3.2", changes: 1 },
    { servers: 10_000, version: "3.2", changes: 1 },
  ],
  restMs: 500,
};

export const HELP = `npm run bench [-- --quick] [-- --json FILE]

Measures Rollcall on this machine, each figure beside a floor or a peer in the same run, and prints a table;
docs/benchmarks.md tells what the rows mean. Takes about four minutes. Nothing else should run meanwhile.

  --quick       a few samples of each in half a minute: shows that it works, not how fast
  --json FILE   write the figures to FILE too
  --help        this text`;

/** Reads the arguments; text says what is wrong with them. */
export function readOptions(args: readonly string[]): BenchOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const sizes = values.quick === true ? QUICK : FULL;
    return { sizes, json: values.json ?? null, help: values.help ?? false };
  } catch (error) {
    return `${(error as Error).message}; npm run bench -- --help tells what there is`;
  }
}

import { parseArgs } from "node:util";
import { FULL, QUICK, type Sizes } from "./sizes.ts";

/** Tells what is being done, once in a while. */
export type Progress = (what: string) => void;

/** What can be measured alone, in the order of the table. */
export const PARTS = ["reaction", "containers", "start", "scale", "storm", "spread", "agent"] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly sizes: Sizes;
  readonly parts: readonly Part[];
  /** Where the results go as JSON too; null = nowhere. */
  readonly json: string | null;
  readonly help: boolean;
}

export const HELP = `npm run bench [-- --quick] [-- --only PART,PART] [-- --json FILE]

Measures Rollcall on this machine, each figure beside a floor or a peer in the same run, and prints a table;
docs/benchmarks.md tells what the rows mean. Takes about a quarter of an hour. Nothing else should run meanwhile.

  --quick            a few samples of each within a minute: shows that it works, not how fast
  --only PART,PART   only these: ${PARTS.join(", ")}
  --json FILE        write the figures to FILE too
  --help             this text`;

/** Reads the arguments; text says what is wrong with them. */
export function readOptions(args: readonly string[]): BenchOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        only: { type: "string" },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const parts = readParts(values.only);
    if (typeof parts === "string") return parts;
    const sizes = values.quick === true ? QUICK : FULL;
    return { sizes, parts, json: values.json ?? null, help: values.help ?? false };
  } catch (error) {
    return `${(error as Error).message}; npm run bench -- --help tells what there is`;
  }
}

function readParts(only: string | undefined): readonly Part[] | string {
  if (only === undefined) return PARTS;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) return `--only ${unknown}: there is no such part, but ${PARTS.join(", ")}`;
  return PARTS.filter((part) => names.includes(part));
}

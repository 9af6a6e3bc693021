/** `npm run bench`: see docs/benchmarks.md. Prints a table on stdout, and on stderr what it is doing. */
import { writeFileSync } from "node:fs";
import { agent } from "./agent.ts";
import { containers } from "./containers.ts";
import { type BenchOptions, HELP, type Part, type Progress, readOptions } from "./options.ts";
import { reaction } from "./reaction.ts";
import { type Row, summarise, table } from "./rows.ts";
import { scale } from "./scale.ts";
import type { Sizes } from "./sizes.ts";
import { spread } from "./spread.ts";
import { startUp } from "./start-up.ts";
import { storm } from "./storm.ts";

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`bench: ${options}\n`);
    return 64;
  }
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const rows = summarise(await measure(options));
  process.stdout.write(`${table(rows)}\n`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

const MEASURES: Record<Part, (sizes: Sizes, tell: Progress) => Promise<readonly Row[]>> = {
  reaction,
  containers,
  start: startUp,
  scale,
  storm,
  spread,
  agent,
};

async function measure({ parts, sizes }: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const part of parts) rows.push(...(await MEASURES[part](sizes, progress)));
  return rows;
}

const began = performance.now();

function progress(what: string): void {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}\n`);
}

process.exit(await main(process.argv.slice(2)));

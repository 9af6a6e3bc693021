/** `npm run bench`: see docs/benchmarks.md. Prints a table on stdout, and on stderr what it is doing. */
import { writeFileSync } from "node:fs";
import { containers } from "./containers.ts";
import { HELP, type Progress, readOptions, type Sizes } from "./options.ts";
import { reaction } from "./reaction.ts";
import { type Row, summarise, table } from "./rows.ts";
import { scale } from "./scale.ts";
import { startUp } from "./start-up.ts";

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
  const rows = summarise(await measure(options.sizes, progress));
  process.stdout.write(`${table(rows)}\n`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

async function measure(sizes: Sizes, tell: Progress): Promise<readonly Row[]> {
  const rows: Row[] = [];
  rows.push(...(await reaction(sizes, tell)));
  rows.push(...(await containers(sizes, tell)));
  const started = await startUp(sizes, tell);
  rows.push(...started.rows);
  const { restMs } = sizes;
  for (const one of sizes.scales)
    rows.push(...(await scale(one, { restMs, bareNode: started.bareNode, progress: tell })));
  return rows;
}

const began = performance.now();

function progress(what: string): void {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}\n`);
}

process.exit(await main(process.argv.slice(2)));

/** One line of the result: the same thing measured several times. */
export interface Row {
  /** What was measured. */
  readonly figure: string;
  /** Who did it: Rollcall, or what it is compared with. */
  readonly who: string;
  readonly unit: "ms" | "MiB" | "reloads" | "requests" | "a second";
  readonly values: readonly number[];
  /** The `who` of the row of the same figure that counts as 1; null = there is nothing to compare with. */
  readonly floor: string | null;
}

/** A row with its figures; a ratio is that of the medians. */
export interface Summary {
  readonly figure: string;
  readonly who: string;
  readonly unit: string;
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly ratio: number | null;
}

export function summarise(rows: readonly Row[]): readonly Summary[] {
  return rows.map((row) => {
    const { figure, who, unit, values } = row;
    const p50 = quantile(values, 0.5);
    const base = floorOf(row, rows);
    return {
      figure,
      who,
      unit,
      n: values.length,
      p50,
      p95: quantile(values, 0.95),
      p99: quantile(values, 0.99),
      ratio: base === null ? null : p50 / quantile(base, 0.5),
    };
  });
}

function floorOf({ figure, floor }: Row, rows: readonly Row[]): readonly number[] | null {
  if (floor === null) return null;
  const found = rows.find((row) => row.figure === figure && row.who === floor);
  if (found === undefined) throw new Error(`${figure}: nobody measured the floor "${floor}"`);
  return found.values;
}

/** The smallest value that is not exceeded by this part of all (nearest rank); NaN when there is none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

const HEAD = ["", "", "n", "p50", "p95", "p99", "", "ratio"];

/** The table as text; a figure stands only in its first line, and what was measured once has no percentiles. */
export function table(rows: readonly Summary[]): string {
  const cells = rows.map((row, at) => [
    rows[at - 1]?.figure === row.figure ? "" : row.figure,
    row.who,
    String(row.n),
    short(row.p50),
    row.n > 1 ? short(row.p95) : "",
    row.n > 1 ? short(row.p99) : "",
    row.unit,
    row.ratio === null ? "" : `${row.ratio.toFixed(2)}x`,
  ]);
  const all = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  const isText = (column: number): boolean => column < 2 || column === 6;
  return all
    .map((line) =>
      line
        .map((cell, at) => (isText(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const short = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));

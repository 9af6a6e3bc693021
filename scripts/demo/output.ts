/** Where the demo's lines go; plain text, with bold headings on a terminal only. */
export interface Output {
  heading(text: string): void;
  line(text?: string): void;
  /** A command as a user would type it. */
  command(text: string): void;
  /** How many answers came from each server, as bars. */
  bars(counts: ReadonlyMap<string, number>): void;
  /** Columns of equal width, one row a line. */
  table(rows: readonly (readonly string[])[]): void;
}

const BOLD = "\u001b[1m";
const NORMAL = "\u001b[0m";
const INDENT = "   ";

export function output(options: { write: (text: string) => void; bold: boolean }): Output {
  const { write, bold } = options;
  let headings = 0;
  const line = (text = ""): void => write(text === "" ? "\n" : `${INDENT}${text}\n`);
  return {
    heading(text) {
      const numbered = `${++headings}  ${text}`;
      write(`\n${bold ? `${BOLD}${numbered}${NORMAL}` : numbered}\n`);
    },
    line,
    command: (text) => line(`$ ${text}`),
    bars(counts) {
      const width = Math.max(0, ...[...counts.keys()].map((name) => name.length));
      for (const [name, count] of counts) line(`${name.padEnd(width)}  ${"#".repeat(count)} ${count}`);
    },
    table(rows) {
      const widths: number[] = [];
      for (const row of rows)
        row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
      for (const row of rows)
        line(
          row
            .map((cell, at) => cell.padEnd(widths[at] ?? 0))
            .join("  ")
            .trimEnd(),
        );
    },
  };
}

/** `88 ms`, `1.4 s`. */
export const duration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

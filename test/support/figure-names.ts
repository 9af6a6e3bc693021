/** What a test can tell in numbers, and how those of several tests are put together. */
export const FIGURES = {
  "faults injected": "sum",
  "requests sent": "sum",
  "requests failed": "sum",
  "requests failed without a cause": "sum",
  changes: "sum",
  reloads: "sum",
  "seconds until noticed": "most",
  "seconds to converge": "most",
} as const;

export type FigureName = keyof typeof FIGURES;

/** One line of the file that the variable RELIABILITY_FIGURES names. */
export interface Figure {
  readonly file: string;
  /** Titles of suite and test. */
  readonly test: string;
  readonly name: FigureName;
  readonly value: number;
}

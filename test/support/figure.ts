import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import type { Figure, FigureName } from "./figure-names.ts";

/**
 * Tells a figure of the test that is running, for docs/reliability.md (`npm run test:faults`); else does nothing. In a
 * suite of concurrent tests it may be taken for one of the next.
 */
export function figure(name: FigureName, value: number): void {
  const into = process.env["RELIABILITY_FIGURES"];
  if (into === undefined) return;
  const { testPath = "", currentTestName = "" } = expect.getState();
  const told: Figure = { file: testPath, test: currentTestName, name, value };
  appendFileSync(into, `${JSON.stringify(told)}\n`);
}

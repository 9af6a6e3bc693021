import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase } from "vitest/node";
import { type Figure, type FigureName, FIGURES } from "../test/support/figure-names.ts";
import type { Pledge, ShownBy } from "../test/support/pledge.ts";
import { PLEDGES } from "../test/support/promises.ts";
import { reliabilityPage, type Seen, seenOn } from "./reliability-page.ts";

const PAGE = fileURLToPath(new URL("../docs/reliability.md", import.meta.url));

interface Result {
  /** `test/integration/hold.test.ts` */
  readonly file: string;
  readonly title: string;
  readonly state: "passed" | "failed" | "skipped" | "pending";
  readonly isSecondTry: boolean;
}

/** Writes docs/reliability.md at the end of a run: rows of tests that did not run stay as they were. */
export default class ReliabilityReporter implements Reporter {
  readonly #results: Result[] = [];

  onTestCaseResult(test: TestCase): void {
    this.#results.push({
      file: test.module.relativeModuleId,
      title: test.name,
      state: test.result().state,
      isSecondTry: test.diagnostic()?.flaky === true,
    });
  }

  async onTestRunEnd(): Promise<void> {
    const seen = existsSync(PAGE) ? seenOn(readFileSync(PAGE, "utf8")) : new Map<string, Seen>();
    const day = new Date().toISOString().slice(0, 10);
    for (const one of PLEDGES.flatMap(({ pledges }) => pledges)) {
      const figures = summary(one, this.#results, readFigures());
      if (figures !== null) seen.set(one.what, { figures, day });
    }
    writeFileSync(PAGE, await reliabilityPage(seen));
  }
}

/** What the tests of a pledge have shown; null = they did not all run. */
export function summary(
  { shownBy }: Pledge,
  results: readonly Result[],
  figures: readonly Figure[],
): string | null {
  const ran = shownBy.map((one) => results.filter((result) => isOf(one, result.file, result.title)));
  if (ran.length === 0 || ran.some((found) => found.length === 0)) return null;
  const all = ran.flat();
  const failed = all.filter(({ state }) => state === "failed");
  if (failed.length > 0) return `**FAILED**: ${failed.length} of ${all.length} tests`;
  const skipped = all.filter(({ state }) => state !== "passed").length;
  const told = figures.filter((one) => shownBy.some((by) => isOf(by, one.file, one.test)));
  const words = [
    ...together(told),
    `${all.length - skipped} ${all.length - skipped === 1 ? "test" : "tests"} passed`,
    ...(skipped === 0 ? [] : [`${skipped} skipped on this machine`]),
    ...(all.some(({ isSecondTry }) => isSecondTry) ? ["at the second try"] : []),
  ];
  return words.join(", ");
}

/** `%s` and `$name` in a title stand for any text; suites may stand before it. */
function isOf({ file, title }: ShownBy, seenFile: string, seenTitle: string): boolean {
  const literal = title
    .split(/%(?:\.\d+)?[a-z]|\$\w+/)
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return seenFile.endsWith(file) && new RegExp(`(?:^| )${literal.join(".*")}$`, "s").test(seenTitle);
}

function together(figures: readonly Figure[]): readonly string[] {
  return (Object.keys(FIGURES) as FigureName[]).flatMap((name) => {
    const values = figures.filter((one) => one.name === name).map(({ value }) => value);
    if (values.length === 0) return [];
    const whole = FIGURES[name] === "sum" ? values.reduce((a, b) => a + b, 0) : Math.max(...values);
    return [`${Number(whole.toFixed(2))} ${name}`];
  });
}

function readFigures(): readonly Figure[] {
  const file = process.env["RELIABILITY_FIGURES"] ?? "";
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Figure);
}

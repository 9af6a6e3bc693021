import type { Reporter, TestCase } from "vitest/node";

/**
 * Says at the end of a run which tests passed only at their second try. On a machine that others use too, a test of
 * real processes may meet a pause of seconds; which ones do, and how often, must not stay unseen.
 */
export class SecondTryReporter implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true)
      this.#names.push(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestRunEnd(): void {
    if (this.#names.length === 0) return;
    console.log(`\nPassed at the second try only:\n${this.#names.map((name) => `  ${name}`).join("\n")}\n`);
  }
}

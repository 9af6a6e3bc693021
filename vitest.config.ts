import { defineConfig } from "vitest/config";
import { SecondTryReporter } from "./test/support/second-try-reporter.ts";

/**
 * One project a kind of test. All but `unit` drive real processes, so their files run one after another: two HAProxys
 * that reload on a two-core machine measure each other, not the code. They get a second try, which is told of at the
 * end: a machine that others use too may pause for seconds.
 */
const project = (name: string, timeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: 120_000,
    fileParallelism: name === "unit",
    retry: name === "unit" || name === "golden" ? 0 : 1,
    restoreMocks: true,
    unstubEnvs: true,
  },
});

export default defineConfig({
  test: {
    // Two runs go on at the same time: scripts/run-tests.ts.
    cache: false,
    reporters: ["default", new SecondTryReporter()],
    projects: [
      project("unit", 20_000),
      project("golden", 30_000),
      project("contract", 120_000),
      project("integration", 180_000),
      project("e2e", 300_000),
    ],
  },
});

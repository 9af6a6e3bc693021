import { defineConfig } from "vitest/config";

/**
 * One project a kind of test. All but `unit` drive real processes, so their files run one after another: two HAProxys
 * that reload on a two-core machine measure each other, not the code.
 */
const project = (name: string, timeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: 120_000,
    fileParallelism: name === "unit",
    restoreMocks: true,
    unstubEnvs: true,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", 20_000),
      project("golden", 30_000),
      project("contract", 120_000),
      project("integration", 180_000),
      project("e2e", 300_000),
    ],
  },
});

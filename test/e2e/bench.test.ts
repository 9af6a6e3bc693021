import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { Summary } from "../../bench/rows.ts";
import { tempDir } from "../support/temp-dir.ts";

const BENCH = fileURLToPath(new URL("../../bench/bench.ts", import.meta.url));

const pass = (at: string): string[] =>
  ["merge", "render", "check", "commit", "reload", "in all"].map((stage) => `pass at ${at}: ${stage}`);

const FIGURES = [
  "etcd put -> first response",
  "etcd delete -> last response",
  "container start -> first response",
  "process start -> first answer (/livez)",
  "process start -> applied, HAProxy runs it already",
  "process start -> applied, after a reload",
  ...["10", "1,000", "10,000"].flatMap((servers) => [
    ...pass(`${servers} servers, HAProxy 3.2`),
    `memory at ${servers} servers, HAProxy 3.2`,
  ]),
];

describe("the bench", () => {
  it("measures every figure, each beside what it is compared with (--quick --json)", async () => {
    await using dir = await tempDir();
    const json = join(dir.path, "bench.json");
    const { stdout } = await execa(process.execPath, [BENCH, "--quick", "--json", json]);
    const rows = JSON.parse(readFileSync(json, "utf8")) as Summary[];
    expect([...new Set(rows.map((row) => row.figure))]).toEqual(FIGURES);
    for (const row of rows) {
      for (const value of [row.p50, row.p95, row.p99]) expect(value, row.figure).toBeGreaterThan(0);
      expect(row.n).toBeGreaterThan(0);
      // JSON has no infinity and no NaN: they would be null.
      if (row.ratio !== null) expect(row.ratio).toBeGreaterThan(0);
    }
    for (const figure of FIGURES.filter((name) => !/: (merge|render|commit)$/.test(name))) {
      const compared = rows.filter((row) => row.figure === figure);
      expect(compared.length, figure).toBeGreaterThan(1);
      expect(compared.map((row) => row.ratio)).toContain(1);
    }
    for (const figure of FIGURES) expect(stdout).toContain(figure);
  });

  it("tells what it does, and refuses what it does not know", async () => {
    expect((await execa(process.execPath, [BENCH, "--help"])).stdout).toContain("--quick");
    const wrong = await execa(process.execPath, [BENCH, "--quik"], { reject: false });
    expect(wrong.exitCode).toBe(64);
    expect(wrong.stderr).toContain("--quik");
  });
});

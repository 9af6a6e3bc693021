import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { Summary } from "../../bench/rows.ts";
import { tempDir } from "../support/temp-dir.ts";

const BENCH = fileURLToPath(new URL("../../bench/bench.ts", import.meta.url));

const at = (what: string): string[] =>
  ["10 servers, HAProxy 3.2", "1,000 servers, HAProxy 3.2"].map((place) => `${what} at ${place}`);

const MANY_AGENTS = [
  "10 servers of 2 agents, all at once: start -> registered",
  "10 servers of 2 agents at rest: requests on etcd",
];
const FIGURES = [
  "etcd put -> first response",
  "etcd delete -> last response",
  "etcd put of a weight -> in force",
  "container start -> first response",
  "process start -> first answer (/livez)",
  "process start -> applied, HAProxy runs it already",
  "process start -> applied, after a change",
  "etcd put -> first response, HAProxy 3.2",
  ...at("pass").map((pass) => `${pass}: in all`),
  ...at("longest block of the event loop"),
  ...at("memory"),
  "1,000 keys at once -> all served, HAProxy 3.2",
  "1,000 keys at once, HAProxy 3.2",
  "one put -> served by each of 2 daemons",
  "agent start -> 2 containers registered",
  "agent start -> 4 containers registered",
  "keepalives of an agent in a lease's time",
  "processor time of an agent at rest, in a minute",
  "memory of an agent",
  ...MANY_AGENTS,
];
/** What there is nothing to compare with. */
const ALONE = [...at("longest block of the event loop"), "1,000 keys at once, HAProxy 3.2", ...MANY_AGENTS];
/** Which there are depends on the way of the change. */
const STAGE = /: (?:merge|render|runtime|check|commit|reload|confirm)$/;

describe("the bench", () => {
  it("measures every figure, each beside what it is compared with (--quick --json)", async () => {
    await using dir = await tempDir();
    const json = join(dir.path, "bench.json");
    const { stdout } = await execa(process.execPath, [BENCH, "--quick", "--json", json]);
    const rows = JSON.parse(readFileSync(json, "utf8")) as Summary[];
    const figures = [...new Set(rows.map((row) => row.figure))];
    expect(figures.filter((name) => !STAGE.test(name)).toSorted()).toEqual(FIGURES.toSorted());
    for (const pass of at("pass"))
      expect(figures).toEqual(expect.arrayContaining([`${pass}: merge`, `${pass}: render`]));
    for (const row of rows) {
      // JSON has no infinity and no NaN: they would be null.
      for (const value of [row.p50, row.p95, row.p99]) expect(value, row.figure).toBeTypeOf("number");
      if (row.unit !== "reloads" && !STAGE.test(row.figure)) expect(row.p50, row.figure).toBeGreaterThan(0);
      expect(row.n).toBeGreaterThan(0);
      if (row.ratio !== null) expect(row.ratio).toBeGreaterThan(0);
    }
    for (const figure of FIGURES.filter((name) => !ALONE.includes(name))) {
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
    const part = await execa(process.execPath, [BENCH, "--only", "strom"], { reject: false });
    expect(part.exitCode).toBe(64);
    expect(part.stderr).toContain("storm");
  });
});

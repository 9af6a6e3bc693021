import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { commandLine, findProcesses } from "../../scripts/lab/processes.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";

const SOAK = fileURLToPath(new URL("../../soak/soak.ts", import.meta.url));
/** Those after which no request may fail for any reason: HAProxy lives on. */
const MILD = [
  "member-killed",
  "member-paused",
  "compacted",
  "rollcall-killed",
  "agent-killed",
  "state-disk-full",
  "config-disk-full",
  "hostile-keys",
];

/** The number behind the first words of a line of the table. */
const numberIn = (output: string, row: string): number =>
  Number(new RegExp(`^ *${row} +(\\d+)`, "m").exec(output)?.[1] ?? NaN);

describe("the soak", () => {
  it("finds nothing that is unexplained, and leaves nothing behind", async () => {
    const args = ["--minutes", "0.5", "--seed", "5", "--faults", MILD.join(",")];
    const { stdout, exitCode } = await execa(process.execPath, [SOAK, ...args], { reject: false, all: true });
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain("Nothing is unexplained.");
    expect(numberIn(stdout, "faults")).toBeGreaterThan(0);
    expect(numberIn(stdout, "changes written")).toBeGreaterThan(0);
    expect(numberIn(stdout, "compared with the model")).toBeGreaterThan(0);
    expect(numberIn(stdout, "requests")).toBeGreaterThan(100);
    const dir = /, in (\S+)$/m.exec(stdout)?.[1] ?? "";
    expect(dir).toContain("rc-");
    expect(existsSync(dir)).toBe(false);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(dir);
    await eventually(() =>
      expect(findProcesses((pid) => commandLine(pid).includes(dir)).map(commandLine)).toEqual([]),
    );
    figure("faults injected", numberIn(stdout, "faults"));
    figure("changes", numberIn(stdout, "changes written"));
    figure("requests sent", numberIn(stdout, "requests"));
    figure("requests failed without a cause", numberIn(stdout, "unexplained"));
  });

  it("tells what it does, and refuses what it does not know", async () => {
    expect((await execa(process.execPath, [SOAK, "--help"])).stdout).toContain("--leader-every");
    for (const wrong of [
      ["--faults", "earthquake"],
      ["--minutes", "0"],
      ["--seed", "x"],
      ["--sed", "1"],
    ]) {
      const { exitCode, stderr } = await execa(process.execPath, [SOAK, ...wrong], { reject: false });
      expect([exitCode, stderr]).toEqual([64, expect.stringContaining(wrong[0] ?? "")]);
    }
  });
});

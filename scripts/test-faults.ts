/**
 * `npm run test:faults`: runs the tests that show what is promised and writes docs/reliability.md.
 *
 * node scripts/test-faults.ts [FILE …]    only these files; all that test/support/promises.ts names when none is given
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { PLEDGES } from "../test/support/promises.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const given = process.argv.slice(2);
const all = new Set(
  PLEDGES.flatMap(({ pledges }) => pledges.flatMap(({ shownBy }) => shownBy.map(({ file }) => file))),
);
const dir = mkdtempSync(join(tmpdir(), "rc-figures-"));
try {
  const reporters = ["--reporter=default", "--reporter=./scripts/reliability-reporter.ts"];
  const { exitCode = 1 } = await execa("vitest", ["run", ...reporters, ...(given.length > 0 ? given : all)], {
    cwd: ROOT,
    stdio: "inherit",
    reject: false,
    preferLocal: true,
    env: { RELIABILITY_FIGURES: join(dir, "figures") },
  });
  process.exitCode = exitCode;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

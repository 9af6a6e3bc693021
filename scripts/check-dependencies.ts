/**
 * node scripts/check-dependencies.ts    fails when a package is not pinned, not known by its checksum, or of a kind
 *                                       that is not in the lists of scripts/dependency-problems.ts; asks no network
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dependencyProblems, type Lock, type Manifest } from "./dependency-problems.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const lock = JSON.parse(read("package-lock.json")) as Lock;
const problems = dependencyProblems({
  manifest: JSON.parse(read("package.json")) as Manifest,
  lock,
  installed: JSON.parse(read("node_modules/.package-lock.json")) as Lock,
  npmrc: read(".npmrc"),
});
for (const problem of problems) console.error(`check-dependencies: ${problem}`);
const shipped = Object.values(lock.packages).filter(({ dev, optional }) => dev !== true && optional !== true);
if (problems.length === 0)
  console.log(`check-dependencies: ${shipped.length - 1} packages are shipped, all is well`);
process.exitCode = problems.length === 0 ? 0 : 1;

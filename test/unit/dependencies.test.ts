import { expect, test } from "vitest";
import { dependencyProblems, type Lock, type LockedPackage } from "../../scripts/dependency-problems.ts";

const GOOD: LockedPackage = { version: "1.2.3", integrity: "sha512-a", license: "MIT" };

/** What is said of a project with the one package `a`. */
function problems(
  change: { package?: LockedPackage; version?: string; installed?: LockedPackage; npmrc?: string } = {},
): readonly string[] {
  const { version = "1.2.3", npmrc = "save-exact=true\nignore-scripts=true\n" } = change;
  const dependencies = { a: version };
  const one = change.package ?? GOOD;
  const lock: Lock = { packages: { "": { dependencies }, "node_modules/a": one } };
  const installed: Lock = { packages: { "node_modules/a": change.installed ?? one } };
  return dependencyProblems({ manifest: { dependencies }, lock, installed, npmrc });
}

test("a pinned package with a checksum and a known licence is fine", () => {
  expect(problems()).toEqual([]);
});

test.each<[string, Parameters<typeof problems>[0], RegExp]>([
  ["a range", { version: "^1.2.3" }, /exact version in place of "\^1\.2\.3"/],
  ["a tag", { version: "latest" }, /exact version/],
  ["another place", { version: "file:../a" }, /exact version/],
  ["no checksum", { package: { version: "1.2.3", license: "MIT" } }, /no checksum/],
  ["an address", { package: { ...GOOD, resolved: "https://a.example/a.tgz" } }, /download address/],
  ["a licence", { package: { ...GOOD, license: "AGPL-3.0" } }, /licence "AGPL-3\.0"/],
  ["a tool's licence", { package: { ...GOOD, license: "MPL-2.0" } }, /licence "MPL-2\.0"/],
  ["a script", { package: { ...GOOD, hasInstallScript: true } }, /a has an install script/],
  ["another one is installed", { installed: { ...GOOD, integrity: "sha512-b" } }, /installed is not what/],
  ["scripts are run", { npmrc: "save-exact=true\n" }, /ignore-scripts=true/],
])("%s is not", (_, change, problem) => {
  expect(problems(change).join("\n")).toMatch(problem);
});

test("the lock file must be of this package.json", () => {
  const lock: Lock = { packages: { "": { dependencies: { a: "1.2.3" } } } };
  const given = { lock, installed: { packages: {} }, npmrc: "ignore-scripts=true" };
  expect(dependencyProblems({ ...given, manifest: { devDependencies: { a: "1.2.3" } } })).toEqual([
    'package-lock.json has other dependencies than package.json: run "npm install"',
    'package-lock.json has other devDependencies than package.json: run "npm install"',
  ]);
});

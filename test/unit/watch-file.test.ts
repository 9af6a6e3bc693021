import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { watchFile } from "../../src/lib/watch-file.ts";
import { eventually } from "../support/eventually.ts";
import { tempDir } from "../support/temp-dir.ts";

/** Sooner than the slow look comes. */
const AT_ONCE = { timeoutMs: 1500 };

async function watched(file = "file") {
  const dir = await tempDir();
  const controller = new AbortController();
  const path = join(dir.path, file);
  let changes = 0;
  return {
    path,
    changes: () => changes,
    stop: () => controller.abort(),
    start: () => watchFile(path, () => changes++, { signal: controller.signal }),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await dir[Symbol.asyncDispose]();
    },
  };
}

test("appearing, writing, replacing and removing are changes; other files are not", async () => {
  await using file = await watched();
  file.start();
  const steps = [
    () => writeFile(file.path, "1"),
    () => writeFile(file.path, "2"),
    async () => {
      await writeFile(`${file.path}.new`, "3");
      await rename(`${file.path}.new`, file.path);
    },
    () => rm(file.path),
  ];
  for (const [index, step] of steps.entries()) {
    await step();
    await eventually(() => expect(file.changes()).toBe(index + 1), AT_ONCE);
  }
  await writeFile(`${file.path}.other`, "x");
  await writeFile(file.path, "4");
  await eventually(() => expect(file.changes()).toBe(steps.length + 1), AT_ONCE);
});

test("a change right after the call is not missed", async () => {
  await using file = await watched();
  await writeFile(file.path, "1");
  file.start();
  await writeFile(file.path, "22");
  await eventually(() => expect(file.changes()).toBe(1), AT_ONCE);
});

test("a folder that comes later is found", async () => {
  await using file = await watched("later/file");
  file.start();
  await mkdir(join(file.path, ".."));
  await writeFile(file.path, "1");
  await eventually(() => expect(file.changes()).toBe(1), { timeoutMs: 5000 });
  await writeFile(file.path, "22");
  await eventually(() => expect(file.changes()).toBe(2), AT_ONCE);
});

test("after an abort nothing is left", async () => {
  const resources = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === "FSEventWrap" || kind === "Timeout").length;
  const before = resources();
  await using file = await watched();
  file.start();
  expect(resources()).toBeGreaterThan(before);
  file.stop();
  await eventually(() => expect(resources()).toBeLessThanOrEqual(before + 1)); // The pause of eventually itself.
  await writeFile(file.path, "1");
  await using other = await watched();
  other.start();
  await writeFile(other.path, "1");
  await eventually(() => expect(other.changes()).toBe(1));
  expect(file.changes()).toBe(0);
});

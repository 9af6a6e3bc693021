import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rollcall } from "../support/rollcall-process.ts";
import { tempDir } from "../support/temp-dir.ts";

test("a rollcall.yaml that is far too long, or none, ends with 78 and a reason", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "rollcall.yaml");
  await writeFile(file, "#".repeat(10 * 1024 * 1024));
  for (const path of [file, "/dev/zero"]) {
    const stderr = `rollcall: ${path}: larger than 256 KiB`;
    expect(await rollcall(["ls", "--config", path])).toEqual({ code: 78, stdout: "", stderr });
  }
  const directory = await rollcall(["ls", "--config", dir.path]);
  expect(directory).toMatchObject({ code: 78, stderr: expect.stringMatching(/^rollcall: .*EISDIR/) });
});

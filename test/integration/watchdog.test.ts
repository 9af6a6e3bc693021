import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULT_TEMPLATE } from "../../src/parts.ts";
import { eventually } from "../support/eventually.ts";
import { startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const TEMPLATE = readFileSync(DEFAULT_TEMPLATE, "utf8");

test("a template that never ends: Rollcall ends itself, HAProxy serves, and a mended one is picked up", async () => {
  await using dir = await tempDir();
  const template = join(dir.path, "own.cfg.eta");
  await writeFile(template, TEMPLATE);
  await using stack = await startStack({ version: "3.0", options: { template, watchdog: "2s" } });
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await writeFile(template, `${TEMPLATE}<% for (;;) {} %>`);
  await eventually(() => expect(stack.daemon.alive).toBe(false), { timeoutMs: 60_000 });
  await stack.untilServed(["web1"]);
  await writeFile(template, TEMPLATE);
  await stack.daemon.restart();
  await stack.app("web2");
  await stack.untilServed(["web1", "web2"]);
});

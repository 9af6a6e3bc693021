import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

/** The machine is shared, and what failed is tried again after a minute at the latest. */
const soon = <T>(attempt: () => T | Promise<T>): Promise<T> => eventually(attempt, { timeoutMs: 70_000 });
const untilReady = ({ daemon }: Stack): Promise<void> =>
  soon(async () => expect(await daemon.get("/readyz")).toEqual({ code: 200, text: "ready\n" }));

it("without a file descriptor left Rollcall says so, HAProxy serves, and all goes on when there are some", async () => {
  await using stack = await startStack({ version: "3.0" });
  const { daemon } = stack;
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await untilReady(stack);
  const { pid } = daemon;
  const limit = (files: number): Promise<unknown> => execa("prlimit", [`--pid=${pid}`, `--nofile=${files}:`]);
  await limit(1);
  await stack.app("web2");
  await soon(() =>
    expect(daemon.log()).toContainEqual(
      expect.objectContaining({ level: "error", reason: expect.stringMatching(/EMFILE/) }),
    ),
  );
  expect(await stack.served()).toEqual(["web1"]);
  await limit(1024);
  await stack.untilServed(["web1", "web2"], 70_000);
  await untilReady(stack);
  expect([daemon.alive, daemon.pid]).toEqual([true, pid]);
});

it("a clock that jumps by a day stalls nothing and has nothing killed", async () => {
  await using folder = await tempDir();
  const clockFile = join(folder.path, "clock");
  vi.stubEnv("NODE_OPTIONS", `--import=${join(import.meta.dirname, "../support/clock-jump.ts")}`);
  vi.stubEnv("CLOCK_JUMP_FILE", clockFile);
  const options = { watchdog: "10s", "reload-interval": "1s", "state-dir": join(folder.path, "state") };
  await using stack = await startStack({ version: "3.0", options });
  const { daemon } = stack;
  const jump = async (hours: number): Promise<void> => {
    await writeFile(clockFile, String(hours * 3_600_000));
    await soon(async () => {
      const { now } = await daemon.status();
      expect(Math.round((Date.parse(now) - Date.now()) / 3_600_000)).toBe(hours);
    });
    expect((await daemon.get("/livez")).code).toBe(200);
  };
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await untilReady(stack);
  const { pid } = daemon;
  const served = ["web1"];
  for (const hours of [24, -24, 0]) {
    await jump(hours);
    const name = `web${served.length + 1}`;
    await stack.app(name);
    served.push(name);
    await stack.untilServed(served);
    // Another backend is a reload, which must not wait for the clock to come back.
    await stack.app("api", { backend: `api${served.length}` });
    await soon(() => expect(stack.config()).toContain(`backend api${served.length}`));
    await untilReady(stack);
  }
  expect([daemon.alive, daemon.pid]).toEqual([true, pid]);
});

import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { startStack } from "../support/stack.ts";

const PAUSE_MS = 20;
const RELOADS = 4;

it("under changes without an end, each of which takes a reload, reloads come all the same", async () => {
  await using stack = await startStack({ version: "3.0" });
  const app = await stack.app("web1");
  await stack.untilServed(["web1"]);
  const before = stack.reloads();
  const stop = new AbortController();
  let changes = 0;
  const writing = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // A backend that is new.
      await stack.etcd.put(`/app/servers/api${changes++ % 50}/one`, app.address);
      await stack.etcd.del(`/app/servers/api${(changes + 20) % 50}/one`);
      await sleep(PAUSE_MS);
    }
  })();
  try {
    await eventually(() => expect(stack.reloads() - before).toBeGreaterThanOrEqual(RELOADS), {
      timeoutMs: 60_000,
    });
  } finally {
    stop.abort();
    await writing;
  }
  const reloads = stack.reloads() - before;
  await stack.etcd.put("/app/servers/last/one", app.address);
  await eventually(() => expect(stack.config()).toContain("backend last\n"), { timeoutMs: 20_000 });
  figure("changes", changes);
  figure("reloads", reloads);
});

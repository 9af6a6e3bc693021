import { expect, test } from "vitest";
import type { Health } from "../../src/core/hold.ts";
import { snapshot, type Vanished } from "../../src/core/snapshot.ts";
import { secondOpinion } from "../../src/second-opinion.ts";
import { eventually } from "../support/eventually.ts";
import { nullLogger } from "../support/null-logger.ts";
import { statusServer } from "../support/status.ts";

const monotonicMs = (): number => performance.now();
const vanishedNow = (name: string): Vanished => ({
  server: statusServer(name, { address: `10.0.0.${name.charCodeAt(0)}` }),
  plain: undefined,
  why: "store",
  sinceMs: monotonicMs(),
});

/** A second opinion that runs, on a HAProxy that says what `says` holds; null = it does not answer. */
function running(options: { holdMs: number | null; says: Map<string, Health> | null }) {
  const told = { asks: [] as string[][], changes: 0 };
  const opinion = secondOpinion({
    holdMs: options.holdMs,
    readHealth: async (backends) => {
      told.asks.push([...backends]);
      const { says } = options;
      if (says === null) throw new Error("no answer");
      return ({ name }) => says.get(name) ?? "absent";
    },
    onChange: () => void told.changes++,
    log: nullLogger,
    monotonicMs,
    now: () => 1_000_000,
  });
  const controller = new AbortController();
  const ended = opinion.run(controller.signal);
  const merge = (...vanished: readonly Vanished[]): readonly string[] =>
    opinion
      .over([snapshot({ source: "etcd", revision: "1", vanished })], null)
      .flatMap(({ servers }) => servers.map(({ name }) => name));
  return {
    ...opinion,
    told,
    merge,
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await ended;
    },
  };
}

test("HAProxy is asked at once when something vanished, and a change is told", async () => {
  await using opinion = running({
    holdMs: 60_000,
    says: new Map([
      ["a", "up"],
      ["b", "down"],
    ]),
  });
  const { told, merge } = opinion;
  expect(merge()).toEqual([]);
  const [a, b] = [vanishedNow("a"), vanishedNow("b")];
  expect(merge(a, b)).toEqual(["a", "b"]);
  await eventually(() => expect(told.changes).toBe(1));
  expect(told.asks[0]).toEqual(["webserver"]);
  expect(merge(a, b)).toEqual(["a"]);
  expect(opinion.held()).toMatchObject([{ server: { name: "a" }, why: "store", isUp: true }]);
  const [{ sinceMs, untilMs } = { sinceMs: 0, untilMs: 0 }] = opinion.held();
  expect(untilMs - sinceMs).toBe(60_000);
  expect(sinceMs).toBeLessThanOrEqual(1_000_000);
  // Another one is not kept waiting for the next round.
  const c = vanishedNow("c");
  expect(merge(a, b, c)).toEqual(["a", "c"]);
  await eventually(() => expect(merge(a, b, c)).toEqual(["a"]), { timeoutMs: 5000 });
});

test("while HAProxy does not answer, what vanished is served on until the time is over", async () => {
  await using opinion = running({ holdMs: 300, says: null });
  const { told, merge } = opinion;
  const a = vanishedNow("a");
  expect(merge(a)).toEqual(["a"]);
  expect(opinion.held()).toMatchObject([{ isUp: false }]);
  await eventually(() => expect(told.changes).toBe(1));
  expect(monotonicMs() - a.sinceMs).toBeGreaterThanOrEqual(300);
  expect(merge(a)).toEqual([]);
  expect(opinion.held()).toEqual([]);
});

test("nothing is asked while nothing vanished, or when nothing is to be held", async () => {
  await using idle = running({ holdMs: 60_000, says: new Map() });
  await using off = running({ holdMs: null, says: new Map([["a", "up"]]) });
  expect(idle.merge()).toEqual([]);
  expect(off.merge(vanishedNow("a"))).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([...idle.told.asks, ...off.told.asks]).toEqual([]);
});

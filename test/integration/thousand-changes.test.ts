import { describe, expect, it } from "vitest";
import { type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import type { AppServer } from "../support/app-server.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { serversOfFreshStart } from "../support/fresh-start.ts";
import { startLoad } from "../support/load.ts";
import { whoAnswers } from "../support/prober.ts";
import { type Place, randomChange } from "../support/random-change.ts";
import { placeOf, runningServers } from "../support/running-servers.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import type { Stack } from "../support/stack.ts";
import { stacksOfSuite, troubleOf } from "../support/stacks.ts";
import { type WantedRoster, wantedRoster, writeChange } from "../support/wanted-roster.ts";

const BACKEND = "webserver";
const NAMES = 12;
/**
 * 2.6 goes on using connections to the old address of a server, so there a server that moves is a reload: nothing
 * moves in the first changes, which need none, and then some do, which still fails no request.
 */
const CHANGES: Record<HaproxyVersion, { staying: number; moving: number }> = {
  "2.6": { staying: 980, moving: 20 },
  "3.0": { staying: 0, moving: 1000 },
  "3.2": { staying: 0, moving: 1000 },
};

/** Servers that may answer from the moment when their change is written until the next one is seen to run. */
interface Epoch {
  readonly takers: ReadonlySet<string>;
  readonly fromMs: number;
  untilMs: number;
}

interface Answer {
  readonly from: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** A stack whose servers change, with all that was wanted of it. */
interface Run {
  readonly stack: Stack;
  readonly apps: readonly AppServer[];
  readonly random: SeededRandom;
  /** Whether servers get other addresses. */
  isMoving: boolean;
  wanted: WantedRoster;
  readonly epochs: Epoch[];
}

/** Writes some changes, then waits until HAProxy runs them. */
async function makeChanges(run: Run, count: number): Promise<void> {
  for (let change = 0; change < count; change++) {
    const { wanted, random, apps, isMoving } = run;
    const places = apps.map(({ host, port }) => ({ host, port }));
    const placesOf = (name: string): readonly Place[] =>
      isMoving ? places : places.slice(0, 1 + (Number(name.slice(3)) % places.length)).slice(-1);
    const next = randomChange({ wanted, random, backend: BACKEND, names: NAMES, placesOf });
    run.wanted = run.wanted.after(next);
    run.epochs.push({
      takers: run.wanted.takers(BACKEND),
      fromMs: performance.now(),
      untilMs: Infinity,
    });
    await writeChange(run.stack.etcd, next);
  }
  await eventually(
    async () => expect((await runningServers(run.stack.haproxy)).map(placeOf)).toEqual(run.wanted.places()),
    { everyMs: 10 },
  );
  for (const epoch of run.epochs.slice(0, -1)) epoch.untilMs = Math.min(epoch.untilMs, performance.now());
}

/** Asks one request after the other on connections of their own, and keeps each answer. */
async function listen(url: string, signal: AbortSignal): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (!signal.aborted) {
    const sentAtMs = performance.now();
    answers.push({ from: await whoAnswers(url), sentAtMs, answeredAtMs: performance.now() });
  }
  return answers;
}

/** Answers of servers that were not wanted at any moment between the request and the answer. */
function strayAnswers({ apps, epochs }: Run, answers: readonly Answer[]): readonly Answer[] {
  const addresses = new Map(apps.map((app) => [app.name, app.address]));
  return answers.filter(({ from, sentAtMs, answeredAtMs }) => {
    const open = epochs.filter((epoch) => epoch.fromMs <= answeredAtMs && epoch.untilMs >= sentAtMs);
    return !open.some((epoch) => epoch.takers.has(addresses.get(from) ?? ""));
  });
}

/** Makes all the changes, and looks at the worker between them: it must stay the only one. */
async function changeWithoutReload(run: Run, changes: number): Promise<void> {
  const { haproxy } = run.stack;
  const worker = await haproxy.workerPid();
  for (let done = 0; done < changes;) {
    const burst = Math.min(1 + run.random.below(5), changes - done);
    await makeChanges(run, burst);
    done += burst;
    expect(haproxy.processes(), `after ${done} changes`).toEqual([worker]);
  }
}

async function startRun(stack: Stack, version: HaproxyVersion): Promise<Run> {
  const names = Array.from({ length: 8 }, (_, index) => `app${index}`);
  const apps = await Promise.all(names.map((name) => stack.app(name, { register: false })));
  const isMoving = version !== "2.6";
  const run: Run = {
    stack,
    apps,
    random: seededRandom(version),
    isMoving,
    wanted: wantedRoster(),
    epochs: [],
  };
  await makeChanges(run, 5);
  await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
  return run;
}

/** Works under load and resolves with what became of the requests. */
async function underLoad(url: string, work: () => Promise<void>) {
  const limits = { connections: 3, maxSeconds: 120, pauseMs: 20 };
  const loads = [
    startLoad({ ...limits, url, keepAlive: true }),
    startLoad({ ...limits, url: `${url}/slow?ms=30`, keepAlive: false }),
  ];
  const stop = new AbortController();
  const listening = listen(url, stop.signal);
  const trouble = await work().catch((error: unknown) => error);
  stop.abort();
  const results = await Promise.all(loads.map((load) => load.stop()));
  return { trouble, results, answers: await listening };
}

describe("a thousand changes under load", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)(
    "HAProxy %s: no request fails, nothing is reloaded",
    async (version) => {
      const stack = stackOf(version);
      const run = await startRun(stack, version);
      const { staying, moving } = CHANGES[version];
      const [before, startedAt] = [stack.reloads(), performance.now()];
      const seed = `seed ${run.random.seed}`;
      const { trouble, results, answers } = await underLoad(stack.url, async () => {
        await changeWithoutReload(run, staying > 0 ? staying : moving);
        expect(stack.reloads()).toBe(before);
        if (staying === 0) return;
        run.isMoving = true;
        for (let change = 0; change < moving; change++) await makeChanges(run, 1);
      });
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      expect(trouble, `${seed}\n${troubleOf(stack)}`).toBeUndefined();
      for (const result of results) expect(result.failures, seed).toEqual([]);
      expect(strayAnswers(run, answers), seed).toEqual([]);
      expect(stack.haproxy.starts).toBe(1);
      // The last change may reach the file just after it reached HAProxy.
      await eventually(async () => {
        const fresh = await serversOfFreshStart({ version, text: stack.config(), dir: stack.dir });
        expect(fresh.map(placeOf), seed).toEqual(run.wanted.places());
      });
      const sent = results.reduce((sum, result) => sum + result.sent, answers.length);
      figure("changes", staying + moving);
      figure("requests sent", sent);
      figure(
        "requests failed",
        results.reduce((sum, result) => sum + result.failed, 0),
      );
      figure("reloads", stack.reloads() - before);
      const slowest = Math.max(...results.map((result) => result.slowestMs)).toFixed(0);
      console.log(
        `HAProxy ${version}: ${staying + moving} changes in ${seconds} s, ${stack.reloads() - before} reloads, ` +
          `${sent} requests, none failed, slowest ${slowest} ms; ${seed}`,
      );
    },
  );
});

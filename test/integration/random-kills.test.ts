import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { haproxyBinary, type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { sendSignal } from "../../scripts/lab/processes.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { serversOfFreshStart } from "../support/fresh-start.ts";
import { whoAnswers } from "../support/prober.ts";
import { randomChange } from "../support/random-change.ts";
import { placeOf, runningServers } from "../support/running-servers.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Stack } from "../support/stack.ts";
import { restartDaemon, stacksOfSuite, troubleOf } from "../support/stacks.ts";
import { wantedRoster, writeChange } from "../support/wanted-roster.ts";

/** Kills on each branch; more with the variable KILL_ROUNDS. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 34);
const VICTIMS = ["worker", "master", "Rollcall", "HAProxy and Rollcall"] as const;

/** Kills and resolves when all is started again and answers. HAProxy's supervisor needs 0.1 s. */
async function kill(stack: Stack, victim: (typeof VICTIMS)[number]): Promise<void> {
  const { haproxy, daemon } = stack;
  const workers = haproxy.processes();
  if (victim === "Rollcall") await restartDaemon(stack);
  else if (victim === "worker") for (const pid of workers) sendSignal(pid, "SIGKILL");
  else await Promise.all([haproxy.kill(), ...(victim === "master" ? [] : [restartDaemon(stack)])]);
  // In the middle of a reload there are two workers, and a master that outlives them.
  const old = victim === "Rollcall" ? [] : workers;
  await eventually(async () => expect(old).not.toContain(await haproxy.workerPid()));
  await eventually(() => daemon.get("/livez"));
}

/** Throws when HAProxy would refuse the live file; asks it once for each text. */
async function fileChecker(stack: Stack, version: HaproxyVersion): Promise<() => Promise<void>> {
  const binary = await haproxyBinary(version);
  const copy = join(stack.dir, "seen.cfg");
  let good = "";
  return async () => {
    const text = stack.config();
    if (text === good) return;
    writeFileSync(copy, text);
    const checked = await execa(binary, ["-c", "-f", copy], { reject: false, all: true });
    expect(checked.exitCode, `${checked.all}\n${text}`).toBe(0);
    good = text;
  };
}

describe("kill -9 at random moments during changes", () => {
  const stackOf = stacksOfSuite((version) => ({ masterSocket: version === "3.2" }));

  it.concurrent.each(haproxyVersions)(
    "HAProxy %s converges each time",
    { timeout: 60_000 + ROUNDS * 5000 },
    async (version) => {
      const stack = stackOf(version);
      const random = seededRandom(version);
      const apps = await Promise.all(["x", "y", "z"].map((name) => stack.app(name, { register: false })));
      const places = apps.map(({ host, port }) => ({ host, port }));
      const checkFile = await fileChecker(stack, version);
      let wanted = wantedRoster();
      const backMs: number[] = [];

      async function makeChanges(count: number): Promise<void> {
        for (let change = 0; change < count; change++) {
          const next = randomChange({
            wanted,
            random,
            backend: "webserver",
            names: 8,
            placesOf: () => places,
          });
          wanted = wanted.after(next);
          await writeChange(stack.etcd, next);
        }
      }

      async function round(victim: (typeof VICTIMS)[number], waitMs: number): Promise<void> {
        const changing = makeChanges(1 + random.below(5));
        await sleep(waitMs);
        const killed = kill(stack, victim);
        await checkFile();
        await Promise.all([changing, killed]);
        const backAt = performance.now();
        await eventually(async () => {
          await checkFile();
          expect((await runningServers(stack.haproxy)).map(placeOf)).toEqual(wanted.places());
        });
        backMs.push(performance.now() - backAt);
        // A change may reach the file just after it reached HAProxy.
        await eventually(async () => {
          const fresh = await serversOfFreshStart({ version, text: stack.config(), dir: stack.dir });
          expect(fresh.map(placeOf)).toEqual(wanted.places());
        });
        expect(apps.map(({ name }) => name)).toContain(await whoAnswers(stack.url));
      }

      for (let count = 1; count <= ROUNDS; count++) {
        const [victim, waitMs] = [random.pick(VICTIMS), random.below(150)];
        await round(victim, waitMs).catch((error: unknown) => {
          const where = `HAProxy ${version}, seed ${random.seed}, round ${count}: ${victim} after ${waitMs} ms`;
          throw new Error(`${where}\n${troubleOf(stack)}`, { cause: error });
        });
      }
      backMs.sort((a, b) => a - b);
      figure("faults injected", ROUNDS);
      figure("seconds to converge", (backMs.at(-1) ?? 0) / 1000);
      const at = (share: number): string => (backMs[Math.ceil(backMs.length * share) - 1] ?? NaN).toFixed(0);
      console.log(
        `HAProxy ${version}: ${ROUNDS} kills, converged after p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, ` +
          `at most ${at(1)} ms; seed ${random.seed}`,
      );
    },
  );
});

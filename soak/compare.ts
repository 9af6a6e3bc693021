import { eventually } from "../test/support/eventually.ts";
import { serversOfFreshStart } from "../test/support/fresh-start.ts";
import { whoAnswers } from "../test/support/prober.ts";
import { placeOf, runningServers } from "../test/support/running-servers.ts";
import type { WantedRoster } from "../test/support/wanted-roster.ts";
import { HAPROXY_VERSION, type Lab } from "./lab.ts";
import { BACKEND } from "./rounds.ts";

const QUIET_MS = 90_000;
const FILE_MS = 30_000;
const QUESTIONS = 10;

/**
 * Waits until HAProxy runs what is wanted, by its own words, and by the names of who answers.
 * @returns how long that took, in milliseconds.
 * @throws Error with each line that differs.
 */
export async function compareRunning(lab: Lab, wanted: WantedRoster): Promise<number> {
  const startedAt = performance.now();
  let difference = "";
  await eventually(
    async () => {
      difference = differenceOf(wanted.places(), (await runningServers(lab.haproxy)).map(placeOf));
      if (difference !== "") throw new Error(difference);
    },
    { timeoutMs: QUIET_MS, everyMs: 50 },
  );
  const tookMs = performance.now() - startedAt;
  const takers = wanted.takers(BACKEND);
  for (let question = 0; question < QUESTIONS; question++) {
    const { host, port } = lab.apps.place(await whoAnswers(lab.url, QUIET_MS));
    if (!takers.has(`${host}:${port}`)) throw new Error(`${host}:${port} answers, and is not wanted`);
  }
  return tookMs;
}

/** Starts another HAProxy with the file, which follows what runs: it must come to the same. */
export async function compareFile(lab: Lab, wanted: WantedRoster): Promise<void> {
  await eventually(
    async () => {
      const given = { version: HAPROXY_VERSION, text: lab.config(), dir: lab.dir } as const;
      const fresh = (await serversOfFreshStart(given)).map(placeOf);
      const difference = differenceOf(wanted.places(), fresh);
      if (difference !== "") throw new Error(`in the file: ${difference}`);
    },
    { timeoutMs: FILE_MS, everyMs: 200 },
  );
}

function differenceOf(wanted: readonly string[], found: readonly string[]): string {
  const missing = wanted.filter((line) => !found.includes(line)).map((line) => `- ${line}`);
  const more = found.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`);
  return [...missing, ...more].join("; ");
}

import { sleep } from "../src/lib/sleep.ts";
import { makeChange } from "./changes.ts";
import { FAULT_RUNS } from "./faults.ts";
import type { Lab } from "./lab.ts";
import type { FaultName, PlannedFault, Round } from "./rounds.ts";
import type { Tally } from "./tally.ts";

export interface Playing {
  readonly lab: Lab;
  readonly tally: Tally;
  /** Ends what lasts; what is broken is mended all the same. */
  readonly signal: AbortSignal;
}

const LEADER_DOWN_MS = 3000;
/** The changes of a round without a fault come within this time. */
const SHORTEST_MS = 500;

/** All faults of the round at once, and its changes one after the other meanwhile. What fails is told. */
export async function playRound(
  round: Round,
  given: Playing & { passOver?: FaultName | null },
): Promise<void> {
  const { lab, tally, signal, passOver = null } = given;
  const faults = round.faults.filter(({ name }) => name !== passOver);
  const longestMs = Math.max(SHORTEST_MS, ...faults.map(({ forMs }) => forMs));
  const change = async (): Promise<void> => {
    for (const planned of round.changes) {
      await sleep(longestMs / (round.changes.length + 1), signal);
      if (signal.aborted) return;
      await makeChange(planned, lab);
      tally.changes(1);
    }
  };
  const done = await Promise.allSettled([...faults.map((fault) => breakPart(fault, given)), change()]);
  for (const one of done) if (one.status === "rejected") tally.say(one.reason);
}

async function breakPart(fault: PlannedFault, { lab, tally, signal }: Playing): Promise<void> {
  const { name, forMs, pick } = fault;
  tally.fault(name);
  await FAULT_RUNS[name]({ lab, pick, lasts: () => sleep(forMs, signal) }).catch((error: unknown) => {
    throw new Error(`${name}: ${String(error)}`, { cause: error });
  });
}

/** Kills etcd's leader every so often, beside all else, until `signal` aborts. */
export async function killLeaders(everyMs: number, given: Playing): Promise<void> {
  for (let dueMs = performance.now() + everyMs; ; dueMs += everyMs) {
    await sleep(Math.max(0, dueMs - performance.now()), given.signal);
    if (given.signal.aborted) return;
    await breakPart({ name: "leader-killed", forMs: LEADER_DOWN_MS, pick: 0 }, given).catch(given.tally.say);
  }
}

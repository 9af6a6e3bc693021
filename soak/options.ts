import { parseArgs } from "node:util";
import { parseDuration } from "../src/core/duration.ts";
import { FAULTS, type FaultName, isFaultName } from "./rounds.ts";

export interface SoakOptions {
  readonly durationMs: number;
  /** The same seed gives the same rounds: faults, changes and pauses, though not the same moments. */
  readonly seed: number;
  readonly faults: readonly FaultName[];
  /** How often etcd's leader is killed beside all else; null = only as one of the faults. */
  readonly leaderEveryMs: number | null;
  readonly help: boolean;
}

export const HELP = `npm run soak [-- --minutes N] [-- --seed N] [-- --faults NAME,NAME] [-- --leader-every TIME]

Starts three etcd members, HAProxy, Rollcall with a state folder, two agents with simulated containers, operators'
keys and some thirty applications, all on 127.0.0.1, sends requests all the time, breaks one part after the other
and writes random changes. Whenever it is quiet, what HAProxy runs is compared with what was written. Ends with a
table; exit code 0 when nothing is unexplained, 1 when something is. Logs of some 3 MB a minute are in the
temporary folder meanwhile; all of it goes with the run.

  --minutes N           how long, 30 when not given
  --seed N              repeat the faults and changes of an earlier run
  --faults NAME,…       only these: ${FAULTS.join(", ")};
                        those of the disk need root, for a tmpfs
  --leader-every TIME   kill etcd's leader so often (20s), beside the faults that leave etcd alone
  --help                this text`;

const MAX_MINUTES = 24 * 60;

/** Reads the arguments; text says what is wrong with them. */
export function readOptions(args: readonly string[]): SoakOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: "string", default: "30" },
        seed: { type: "string" },
        faults: { type: "string" },
        "leader-every": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const minutes = Number(values.minutes);
    if (!(minutes > 0 && minutes <= MAX_MINUTES))
      return `--minutes ${values.minutes}: give a number up to ${MAX_MINUTES}`;
    const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
    if (!Number.isSafeInteger(seed)) return `--seed ${values.seed}: give a whole number`;
    const leaderEveryMs = readEvery(values["leader-every"]);
    if (typeof leaderEveryMs === "string") return leaderEveryMs;
    const faults = readFaults(values.faults);
    if (typeof faults === "string") return faults;
    return { durationMs: minutes * 60_000, seed, faults, leaderEveryMs, help: values.help ?? false };
  } catch (error) {
    return `${(error as Error).message}; npm run soak -- --help tells what there is`;
  }
}

function readEvery(given: string | undefined): number | null | string {
  if (given === undefined) return null;
  const read = parseDuration(given);
  return read.ok ? read.value : `--leader-every ${given}: ${read.reason}`;
}

function readFaults(only: string | undefined): readonly FaultName[] | string {
  if (only === undefined) return FAULTS;
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !isFaultName(name));
  return unknown === undefined
    ? names.filter(isFaultName)
    : `--faults ${unknown}: there is no such fault, but ${FAULTS.join(", ")}`;
}

import { seededRandom } from "../test/support/seeded-random.ts";
import type { WantedRoster } from "../test/support/wanted-roster.ts";
import { atTheEnd } from "./at-the-end.ts";
import { compareFile, compareRunning } from "./compare.ts";
import { firstServers } from "./first-servers.ts";
import { startLab } from "./lab.ts";
import type { SoakOptions } from "./options.ts";
import { killLeaders, type Playing, playRound } from "./play-round.ts";
import { growth } from "./growth.ts";
import { type Figures, progressLine } from "./report.ts";
import { rounds } from "./rounds.ts";
import { tally as makeTally } from "./tally.ts";
import { startTraffic } from "./traffic.ts";

export interface SoakRun {
  readonly options: SoakOptions;
  /** A folder of its own, which exists. */
  readonly dir: string;
  /** Ends it before its time. */
  readonly signal: AbortSignal;
  readonly write: (line: string) => void;
}

const PROGRESS_MS = 10_000;
const SAMPLE_MS = 2000;
/** The file is compared after so many rounds: that takes a HAProxy of its own. */
const FILE_EVERY = 5;
/** The last round, the comparisons and the end may take so much longer. */
const SLACK_S = 600;

/** Starts all parts, breaks them round by round under load, and ends them; problems are told, and no error. */
export async function soak({ options, dir, signal, write }: SoakRun): Promise<Figures> {
  const { seed, durationMs, leaderEveryMs } = options;
  const tally = makeTally({ seed, write });
  await using lab = await startLab({ dir, say: tally.say });
  const begun = await firstServers(lab);
  await compareRunning(lab, begun);
  await using traffic = startTraffic({
    url: lab.url,
    maxSeconds: durationMs / 1000 + SLACK_S,
    excuses: lab.excuses,
  });
  const figures = (): Omit<Figures, "reloads"> => tally.figures({ lab, traffic });
  const sample = (): void => tally.sample(lab.rollcall.daemon.pid);
  await using timers = new AsyncDisposableStack();
  for (const timer of [
    setInterval(sample, SAMPLE_MS),
    setInterval(() => write(progressLine(figures(), tally.elapsedMs / 1000)), PROGRESS_MS),
  ])
    timers.defer(() => clearInterval(timer));

  const over = new AbortController();
  const playing: Playing = { lab, tally, signal: AbortSignal.any([signal, over.signal]) };
  const leaders = leaderEveryMs === null ? null : killLeaders(leaderEveryMs, playing);
  const wanted = await playRounds({ ...playing, options, begun });
  over.abort();
  await leaders;
  if (!signal.aborted) await atTheEnd(lab, wanted).catch(tally.say);
  await timers.disposeAsync();
  await traffic[Symbol.asyncDispose]();
  sample();
  for (const problem of growth(figures().samples, tally.elapsedMs / 60_000)) tally.say(problem);
  return { ...figures(), reloads: [...lab.haproxy.log().matchAll(/Reloading HAProxy/g)].length };
}

/** Round after round until the time is over. @returns what is to run then. */
async function playRounds(
  given: Playing & { options: SoakOptions; begun: WantedRoster },
): Promise<WantedRoster> {
  const { lab, tally, signal, begun } = given;
  const { faults, durationMs } = given.options;
  let wanted = begun;
  for (const round of rounds({ random: seededRandom("soak"), cast: lab.cast, wanted, faults })) {
    if (tally.elapsedMs >= durationMs) return wanted;
    tally.round(round.number);
    // The memory of one process can be seen over time only while it lives.
    const isSecondHalf = tally.elapsedMs > durationMs / 2;
    await playRound(round, { ...given, passOver: isSecondHalf ? "rollcall-killed" : null });
    if (signal.aborted) return wanted;
    ({ wanted } = round);
    await compareRunning(lab, wanted).then(tally.converged, tally.say);
    if (round.number % FILE_EVERY === 0) await compareFile(lab, wanted).catch(tally.say);
  }
  return wanted;
}

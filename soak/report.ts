import type { Failure } from "./excuses.ts";
import { type Sample, secondHalf, slopePerHour } from "./samples.ts";

/** All that is told at the end. */
export interface Figures {
  readonly seed: number;
  readonly minutes: number;
  readonly rounds: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly changes: number;
  readonly convergedMs: readonly number[];
  readonly sent: number;
  readonly failed: number;
  readonly slowestMs: number;
  readonly explained: ReadonlyMap<string, number>;
  readonly unexplained: readonly Failure[];
  readonly haproxyStarts: number;
  readonly reloads: number;
  readonly samples: readonly Sample[];
  /** What should not have happened, in words. */
  readonly problems: readonly string[];
}

/** One line while it runs. */
export function progressLine(figures: Omit<Figures, "reloads">, atS: number): string {
  const { rounds, faults, changes, sent, failed, unexplained, samples, problems } = figures;
  const last = samples.at(-1);
  return [
    `${atS.toFixed(0).padStart(5)} s`,
    `round ${rounds}`,
    `faults ${total(faults)}`,
    `changes ${changes}`,
    `requests ${sent}`,
    `failed ${failed} (${unexplained.length} unexplained)`,
    ...(last === undefined ? [] : [`rss ${last.rssMb.toFixed(1)} MB`, `fds ${last.descriptors}`]),
    ...(problems.length === 0 ? [] : [`PROBLEMS ${problems.length}`]),
  ].join("  ");
}

/** The table at the end. */
export function table(figures: Figures): string {
  const { unexplained, problems } = figures;
  const rows = rowsOf(figures);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => name.padEnd(width) + value);
  const wrong = [
    ...problems,
    ...[...reasonsOf(unexplained)].map(([reason, n]) => `${n} requests failed without an excuse: ${reason}`),
  ];
  const end =
    wrong.length === 0 ? ["Nothing is unexplained."] : ["UNEXPLAINED:", ...wrong.map((one) => `  ${one}`)];
  return ["", ...lines, "", ...end, ""].join("\n");
}

type Row = readonly [string, string];

function rowsOf(figures: Figures): readonly Row[] {
  const { faults, convergedMs, samples, explained } = figures;
  const sorted = convergedMs.toSorted((a, b) => a - b);
  const at = (share: number): string => seconds(sorted[Math.ceil(sorted.length * share) - 1] ?? NaN);
  const times = `${at(0.5)} (median), ${at(0.95)} (95 %), ${at(1)} (longest)`;
  const last = samples.at(-1);
  return [
    ["seed", String(figures.seed)],
    ["time", `${figures.minutes.toFixed(1)} min, ${figures.rounds} rounds`],
    ["faults", String(total(faults))],
    ...counted(faults),
    ["changes written", String(figures.changes)],
    ["compared with the model", `${sorted.length} times, after ${times}`],
    ["requests", `${figures.sent}, the slowest ${seconds(figures.slowestMs)}`],
    ["failed requests", String(figures.failed)],
    ...counted(explained),
    ["  unexplained", String(figures.unexplained.length)],
    ["HAProxy", `started ${figures.haproxyStarts} times, reloaded ${figures.reloads} times`],
    ["Rollcall's memory", `${last?.rssMb.toFixed(1) ?? "?"} MB, ${slopeText(samples, (one) => one.rssMb)}`],
    [
      "Rollcall's descriptors",
      `${last?.descriptors ?? "?"}, ${slopeText(samples, (one) => one.descriptors)}`,
    ],
    ["children, zombies left", `${last?.children ?? "?"}, ${last?.zombies ?? "?"}`],
  ];
}

function slopeText(samples: readonly Sample[], of: (sample: Sample) => number): string {
  const half = secondHalf(samples);
  const minutes = ((half.at(-1)?.atS ?? 0) - (half[0]?.atS ?? 0)) / 60;
  const slope = slopePerHour(half, of);
  if (slope === null) return "too short to tell";
  return `${slope < 0 ? "" : "+"}${slope.toFixed(1)} an hour over the last ${minutes.toFixed(1)} min`;
}

const counted = (counts: ReadonlyMap<string, number>): readonly Row[] =>
  [...counts].map(([name, n]) => [`  ${name}`, String(n)] as const);

function reasonsOf(failures: readonly Failure[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of failures) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((a, b) => a + b, 0);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

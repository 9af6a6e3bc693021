import { columns } from "../lib/columns.ts";
import { age } from "./age.ts";
import { paragraph } from "./paragraph.ts";
import type { PassJson, StatusJson } from "./status-json.ts";

/** No more reasons or operations of one pass than somebody reads. */
const MAX_DETAILS = 8;

/**
 * How the `last` changes went, newest first: a line for each with its age, way, whole time and stages, and below it
 * why a reload was needed, what was done over the socket, or why it failed, was refused or waits. Not made harmless.
 */
export function changesText(
  { changes, now }: Pick<StatusJson, "changes" | "now">,
  last: number,
): readonly string[] {
  const shown = changes.slice(0, last);
  if (shown.length === 0) return ["last changes", "  none yet"];
  const passes = alignRight(["pass", ...shown.map(({ pass }) => `#${pass}`)]);
  const ages = alignRight(["when", ...shown.map(({ at }) => `${age(Date.parse(now) - Date.parse(at))} ago`)]);
  const ways = ["how", ...shown.map(({ way, kind }) => way ?? kind)];
  // One decimal place always, so that the points stand below each other.
  const totals = alignRight(["ms", ...shown.map(({ durationMs }) => durationMs.toFixed(1))]);
  const byStage = ["ms by stage", ...shown.map(stages)];
  const cells = passes.map((pass, row) =>
    [pass, ages[row], ways[row], totals[row], byStage[row]].map((cell) => cell ?? ""),
  );
  const [head, ...rows] = columns(cells);
  const more = changes.length > shown.length ? ` (${shown.length} of ${changes.length}, see --last)` : "";
  return [
    `last changes, newest first${more}`,
    `  ${head}`,
    ...shown.flatMap((change, index) => [
      `  ${rows[index]}`,
      ...details(change).flatMap((text) => paragraph(text, 8)),
    ]),
  ];
}

/** In the order in which they were done. */
const stages = ({ timings }: PassJson): string =>
  Object.entries(timings)
    .map(([stage, ms]) => `${stage} ${ms}`)
    .join(", ");

function details({ reason, reasons, stage, operations }: PassJson): readonly string[] {
  const why = stage === null ? reason : `at ${stage}: ${reason}`;
  const needed = reasons.slice(0, MAX_DETAILS).map(({ section, line, what }) => {
    const where = line > 0 ? `${section}:${line}` : section;
    return `because ${`${where} ${what}`.trim()}`;
  });
  return [
    ...(why === null ? [] : [why]),
    ...needed,
    ...beyond(reasons),
    ...(operations.length === 0 ? [] : [operations.slice(0, MAX_DETAILS).join(", ")]),
    ...beyond(operations),
  ];
}

const beyond = (all: readonly unknown[]): readonly string[] =>
  all.length > MAX_DETAILS ? [`and ${all.length - MAX_DETAILS} more (--json has them)`] : [];

function alignRight(cells: readonly string[]): readonly string[] {
  const width = Math.max(...cells.map((cell) => cell.length));
  return cells.map((cell) => cell.padStart(width));
}

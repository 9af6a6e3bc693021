import { causeText, type HistoryEntry } from "../core/history-entry.ts";
import { columns } from "../lib/columns.ts";
import { harmless } from "../lib/harmless.ts";
import { isoTime } from "./iso-time.ts";
import { paragraph } from "./paragraph.ts";

/** The entries as a table, one a line. */
export function historyText(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return "nothing was applied since there is a state folder";
  const rows = entries.map((entry) => [
    String(entry.number),
    shownTime(entry),
    entry.reloads === 0 ? "runtime" : count(entry.reloads, "reload"),
    count(entry.servers, "server"),
    summary(entry),
  ]);
  return columns([["N", "HAProxy ran it at", "way", "servers", "what"], ...rows])
    .map(harmless)
    .join("\n");
}

/** All of one entry. */
export function historyEntryText(entry: HistoryEntry): string {
  const { causes, moreCauses, reasons, losses, revision } = entry;
  const lines = [
    `entry ${entry.number}, ${shownTime(entry)}: ${count(entry.servers, "server")}, revision ${revision ?? "not known"}`,
    `${count(entry.passes, "change")}, ${count(entry.reloads, "reload")}${rolledBack(entry)}`,
    ...losses.flatMap((loss) => paragraph(lossText(loss), 0)),
    ...causes.flatMap((cause) => paragraph(causeText(cause), 2)),
    ...(moreCauses > 0 ? [`  and ${moreCauses} more`] : []),
    ...(reasons.length > 0 ? ["reloads because of", ...reasons.flatMap((one) => paragraph(one, 2))] : []),
  ];
  return lines.map(harmless).join("\n");
}

function summary(entry: HistoryEntry): string {
  const [loss] = entry.losses;
  if (entry.rolledBackTo !== null) return `rolled back to entry ${entry.rolledBackTo}`;
  if (loss !== undefined) return lossText(loss);
  const [first] = entry.causes;
  const more = entry.causes.length + entry.moreCauses - 1;
  if (first === undefined) return entry.reasons[0] ?? "";
  return `${causeText(first)}${more > 0 ? `, and ${more} more` : ""}`;
}

const lossText = ({ backend, removed, before }: HistoryEntry["losses"][number]): string =>
  `${removed} of ${before} servers of backend ${backend} went at once`;

const rolledBack = ({ rolledBackTo }: HistoryEntry): string =>
  rolledBackTo === null ? "" : `, rolled back to entry ${rolledBackTo}`;

const shownTime = ({ atMs }: HistoryEntry): string => isoTime(atMs).replace(/\.[0-9]+Z$/, "Z");

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

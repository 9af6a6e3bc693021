import { columns } from "../lib/columns.ts";
import { harmless } from "../lib/harmless.ts";
import { age } from "./age.ts";
import { changesText } from "./changes-text.ts";
import { paragraph } from "./paragraph.ts";
import type { EntryJson, HeldJson, ServerJson, SourceJson, StatusJson } from "./status-json.ts";

export interface StatusTextOptions {
  /** Where the answer is from, to be shown. */
  readonly url: string;
  /** How many of the last changes are shown. */
  readonly last: number;
  /** Show every server; otherwise they are shown when there are few. */
  readonly everyServer: boolean;
}

/** So many servers are shown without being asked for, and so many entries of a kind. */
const FEW = 10;

/** The status for people: first whether all is well, then what there is, at the end how the last changes went. */
export function statusText(status: StatusJson, options: StatusTextOptions): string {
  const { last, everyServer, url } = options;
  const blocks = [
    verdict(status),
    overview(status, url),
    block("sources", sources(status)),
    block("backends, as wanted", backends(status, everyServer)),
    block("quarantined: refused and not served", entries(status.quarantined)),
    block("waiting: served once they are ready", entries(status.waiting)),
    block("warnings: served, but look", entries(status.warnings)),
    block("held: vanished, served on while HAProxy's check is UP", held(status)),
    changesText(status, last),
  ];
  // Here alone, so that it cannot be forgotten: most of it may have come from keys, labels and other programs.
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.map(harmless).join("\n"));
  return shown.join("\n\n");
}

/** The same words as `/readyz`. */
function verdict({ ready, reasons, notes }: StatusJson): readonly string[] {
  const sentences = [...reasons, ...notes.map((note) => `note: ${note}`)];
  return [ready ? "ready" : "not ready", ...sentences.flatMap((one) => paragraph(one, 2))];
}

function overview(status: StatusJson, url: string): readonly string[] {
  const { version, now, startedAt, applied, lastPass } = status;
  const ago = (then: string): string => `${between(then, now)} ago`;
  const revision = applied?.revision ?? null;
  return columns([
    ["Rollcall", `${version} at ${url}, up for ${between(startedAt, now)}`],
    ["HAProxy", haproxy(status)],
    [
      "applied",
      applied === null
        ? "nothing is proven to run"
        : `${revision === null ? "" : `revision ${revision}, `}${ago(applied.since)}`,
    ],
    [
      "last pass",
      lastPass === null ? "none yet" : `#${lastPass.pass}, ${ago(lastPass.at)}, ${lastPass.kind}`,
    ],
  ]);
}

function haproxy({ haproxy: { up, pid, version, since, workers }, now }: StatusJson): string {
  if (!up) return `has not answered for ${between(since, now)}`;
  const old = workers !== null && workers > 1 ? " (old ones finish their connections)" : "";
  const processes = workers === null ? "" : `, ${count(workers, "worker process", "worker processes")}${old}`;
  return `${version ?? "of unknown version"}, worker ${pid}, up for ${between(since, now)}${processes}`;
}

function sources({ sources: all, now }: StatusJson): readonly string[] {
  const cells = all.map((source) => [
    source.name,
    source.state === "absent" ? "absent" : `${source.state} for ${between(source.since, now)}`,
    picture(source, now),
  ]);
  const rows = columns(cells);
  return all.flatMap(({ error }, index) => [
    `  ${rows[index]}`,
    ...(error === null ? [] : paragraph(error, 6)),
  ]);
}

/** What a source last told. */
function picture({ publishedAt, state, servers, quarantined, waiting }: SourceJson, now: string): string {
  if (publishedAt === null) return state === "absent" ? "" : "no picture yet";
  const numbers = [
    count(servers, "server", "servers"),
    ...(quarantined === 0 ? [] : [`${quarantined} quarantined`]),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
  ];
  return `${numbers.join(", ")}, published ${between(publishedAt, now)} ago`;
}

function backends({ backends: all }: StatusJson, everyServer: boolean): readonly string[] {
  if (all.length === 0) return ["  none"];
  const names = columns(all.map(({ name, servers }) => [name, tally(servers)]));
  const isShown = everyServer || all.flatMap(({ servers }) => servers).length <= FEW;
  if (!isShown) return [...names.map((name) => `  ${name}`), "  (--servers shows them)"];
  // One table for all, so that the columns of all backends stand below each other.
  const rows = columns(all.flatMap(({ servers }) => servers.map(serverCells))).values();
  return all.flatMap(({ servers }, index) => [
    `  ${names[index]}`,
    ...[...rows.take(servers.length)].map((row) => `    ${row}`),
  ]);
}

function tally(servers: readonly ServerJson[]): string {
  const others = (["drain", "maint"] as const).map((state) => {
    const found = servers.filter((server) => server.state === state).length;
    return found === 0 ? "" : `, ${found} in ${state}`;
  });
  return count(servers.length, "server", "servers") + others.join("");
}

function serverCells(server: ServerJson): readonly string[] {
  const { name, address, state, weight, backup, source, origin } = server;
  const shownWeight = weight === null ? "" : `weight ${weight}`;
  return [name, address, state, shownWeight, backup ? "backup" : "", `${source} ${origin}`];
}

function entries(all: readonly EntryJson[]): readonly string[] {
  const few = all.slice(0, FEW);
  const lines = few.flatMap(({ source, origin, reason }) => paragraph(`${source} ${origin}: ${reason}`, 2));
  return all.length > FEW ? [...lines, `  and ${all.length - FEW} more (--json has them)`] : lines;
}

const VANISHED: Readonly<Record<HeldJson["why"], string>> = {
  lease: "its lease ended",
  store: "the store lost it",
};

function held({ held: all, now }: StatusJson): readonly string[] {
  const few = columns(
    all
      .slice(0, FEW)
      .map(({ backend, name, address, since, until, why, check }) => [
        `${backend}/${name}`,
        address,
        `${VANISHED[why]} ${between(since, now)} ago${check === "up" ? "" : ", HAProxy was not heard yet"}`,
        `for ${between(now, until)} more`,
      ]),
  ).map((line) => `  ${line}`);
  return all.length > FEW ? [...few, `  and ${all.length - FEW} more (--json has them)`] : few;
}

const block = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines];
const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
/** Ages are those of the daemon's clock, whatever the clock here says. */
const between = (then: string, now: string): string => age(Date.parse(now) - Date.parse(then));

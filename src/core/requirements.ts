import { type ConfigLine, type ConfigSection, serversOf } from "./haproxy-config.ts";

/** What is known of the HAProxy that would run the candidate. */
export interface Limits {
  /** Hard limit of open files of its process; null = not known. */
  readonly openFiles: number | null;
  /** The stats socket over which we reach it; null = it does not matter. */
  readonly socketPath: string | null;
}

/** Descriptors that HAProxy takes for itself, measured: listeners, pollers, sockets of the master. */
const OWN_DESCRIPTORS = 40;

/**
 * What is wrong with a candidate that `haproxy -c` may nevertheless accept; empty = fine. HAProxy takes an empty or
 * `global`-only file at a reload and then listens nowhere; it finds out about missing descriptors only when it starts;
 * and 3.4.0 lets a server's name stand twice.
 */
export function problems(
  { text, sections }: { text: string; sections: readonly ConfigSection[] },
  limits: Limits,
): readonly string[] {
  const found: string[] = [];
  if (sections.length === 0) return ["it is empty: HAProxy would listen nowhere"];
  if (!text.endsWith("\n")) found.push("the last line does not end with a newline");
  if (text.includes("\0")) found.push("it contains a NUL character");
  if (!sections.some(listens))
    found.push('no frontend or listen section has a "bind": HAProxy would listen nowhere');
  found.push(...duplicates(sections), ...descriptors(sections, limits), ...statsSocket(sections, limits));
  return found;
}

const listens = (section: ConfigSection): boolean =>
  (section.keyword === "frontend" || section.keyword === "listen") &&
  section.lines.some((line) => line.words[0] === "bind" && line.words.length > 1);

/** Without its socket HAProxy would be out of reach, also for the text that brings it back. */
function statsSocket(sections: readonly ConfigSection[], { socketPath }: Limits): readonly string[] {
  const lines = globalLines(sections);
  const sockets = lines.filter(({ words }) => words[0] === "stats" && words[1] === "socket");
  const isUnclear = lines.some(({ words }) => words[0] === "unix-bind" || words[0]?.startsWith(".") === true);
  const isThere = sockets.some(
    ({ words: [, , address = ""] }) => address.replace(/^unix@/, "") === socketPath,
  );
  if (socketPath === null || isThere || isUnclear || sockets.some(({ words }) => words[2]?.includes("$")))
    return [];
  return [`its global section has no "stats socket ${socketPath}", over which Rollcall reaches HAProxy`];
}

const globalLines = (sections: readonly ConfigSection[]): readonly ConfigLine[] =>
  sections.filter((section) => section.keyword === "global").flatMap((section) => section.lines);

function duplicates(sections: readonly ConfigSection[]): readonly string[] {
  // Of the variants in conditional blocks HAProxy takes one.
  if (sections.some(({ conditional }) => conditional !== "never")) return [];
  const seen = new Map<string, number>();
  return serversOf(sections).flatMap((server) => {
    const key = `${server.backend}/${server.name}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, server.number);
    return first === undefined ? [] : [`server ${key} stands twice, in lines ${first} and ${server.number}`];
  });
}

function descriptors(sections: readonly ConfigSection[], limits: Limits): readonly string[] {
  const global = sections
    .filter((section) => section.keyword === "global")
    .flatMap((section) => section.lines);
  const maxconn = Number(global.findLast((line) => line.words[0] === "maxconn")?.words[1]);
  if (limits.openFiles === null || !Number.isInteger(maxconn)) return [];
  const checked = serversOf(sections).filter(({ raw }) => /\scheck(?:\s|$)/.test(raw)).length;
  const needed = 2 * maxconn + 2 * checked + OWN_DESCRIPTORS;
  if (needed <= limits.openFiles) return [];
  return [
    `it needs about ${needed} open files (2 for each of maxconn ${maxconn}, 2 for each of ${checked} checked servers), ` +
      `HAProxy may have ${limits.openFiles}: lower maxconn or raise the limit (ulimit -Hn, LimitNOFILE=)`,
  ];
}

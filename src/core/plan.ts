import { holdsServers, readConfig, type ConfigLine, type ConfigSection } from "./haproxy-config.ts";
import { stampOf } from "./stamp.ts";

/** Why a reload is needed: which section, where in the candidate (0 = nowhere, it is gone), and what about it. */
export interface Reason {
  readonly section: string;
  readonly line: number;
  readonly what: string;
}

/** How to get from what runs to the candidate. */
export type Plan =
  { readonly kind: "noop" } | { readonly kind: "reload"; readonly reasons: readonly Reason[] };

/** No more reasons than an operator reads. */
const MAX_REASONS = 20;

/**
 * Compares the text that HAProxy is proven to run (null = not known) with the candidate, section by section. Reasons
 * tell a change of server lines from a change of anything else, since only the latter needs a reload in principle.
 */
export function plan(texts: { applied: string | null; candidate: string }): Plan {
  if (texts.applied === texts.candidate) return { kind: "noop" };
  if (texts.applied === null) {
    return { kind: "reload", reasons: [{ section: "", line: 0, what: "what HAProxy runs is not known" }] };
  }
  const before = bySection(readConfig(texts.applied));
  const after = bySection(readConfig(texts.candidate));
  const reasons: Reason[] = [];
  for (const [section, { number, ...now }] of after) {
    const old = before.get(section);
    if (old === undefined) reasons.push({ section, line: number, what: "is new" });
    else reasons.push(...differences(section, old, { number, ...now }));
  }
  for (const section of before.keys())
    if (!after.has(section)) reasons.push({ section, line: 0, what: "is gone" });
  if (reasons.length === 0) reasons.push({ section: "", line: 0, what: "comments, spaces or order changed" });
  return { kind: "reload", reasons: reasons.slice(0, MAX_REASONS) };
}

/** Sections by `keyword name`; one that stands several times (`global`, `defaults`) gets a count. */
function bySection(sections: readonly ConfigSection[]): Map<string, ConfigSection> {
  const found = new Map<string, ConfigSection>();
  for (const section of sections) {
    const title = `${section.keyword} ${section.name}`.trim();
    let key = title;
    for (let count = 2; found.has(key); count++) key = `${title} (${count})`;
    found.set(key, section);
  }
  return found;
}

function differences(section: string, before: ConfigSection, after: ConfigSection): readonly Reason[] {
  const split = (one: ConfigSection): { servers: ConfigLine[]; rest: ConfigLine[] } => {
    const isServer = (line: ConfigLine): boolean => holdsServers(one) && line.words[0] === "server";
    // The stamp differs whenever anything does: it says nothing.
    const rest = one.lines.filter((line) => !isServer(line) && stampOf(line) === null);
    return { servers: one.lines.filter(isServer), rest };
  };
  const [old, now] = [split(before), split(after)];
  const found: Reason[] = [];
  const changed = now.rest.find((line, index) => text(line) !== text(old.rest[index]));
  if (changed !== undefined || now.rest.length !== old.rest.length) {
    const line = changed?.number ?? after.number;
    found.push({
      section,
      line,
      what: changed === undefined ? "lines are gone" : `changed: ${changed.words[0]}`,
    });
  }
  const what = serverChanges(old.servers, now.servers);
  if (what !== "") found.push({ section, line: now.servers[0]?.number ?? after.number, what });
  return found;
}

const text = (line: ConfigLine | undefined): string => (line === undefined ? "" : line.words.join("\0"));

/** `servers: +web4 -web1 ~web2`, with no more than ten names; empty when nothing changed. */
function serverChanges(before: readonly ConfigLine[], after: readonly ConfigLine[]): string {
  const old = new Map(before.map((line) => [line.words[1] ?? "", text(line)]));
  const now = new Map(after.map((line) => [line.words[1] ?? "", text(line)]));
  const names = [
    ...[...now.keys()].filter((name) => !old.has(name)).map((name) => `+${name}`),
    ...[...old.keys()].filter((name) => !now.has(name)).map((name) => `-${name}`),
    ...[...now]
      .filter(([name, words]) => old.has(name) && old.get(name) !== words)
      .map(([name]) => `~${name}`),
  ];
  if (names.length === 0) return "";
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return `servers: ${names.slice(0, 10).join(" ")}${more}`;
}

import type { ConfigLine, ConfigSection } from "./haproxy-config.ts";
import { stampOf } from "./stamp.ts";

/** Why a reload is needed: which section, where in the candidate (0 = nowhere, it is gone), and what about it. */
export interface Reason {
  readonly section: string;
  readonly line: number;
  readonly what: string;
}

/**
 * All that HAProxy can only learn by a reload, as one text: the words of all lines but those of servers and of the
 * stamp. Comments and spaces are not in it: they change nothing.
 */
export function structure(sections: readonly ConfigSection[]): string {
  const parts: string[] = [];
  for (const { words, lines } of sections) {
    parts.push(words.join("\0"));
    for (const line of lines) if (stampOf(line) === null) parts.push(`\t${line.words.join("\0")}`);
  }
  return parts.join("\n");
}

/** Where the structures of two texts differ. */
export function structuralChanges(
  before: readonly ConfigSection[],
  after: readonly ConfigSection[],
): readonly Reason[] {
  const [old, now] = [byTitle(before), byTitle(after)];
  const reasons: Reason[] = [];
  for (const [title, section] of now) {
    const was = old.get(title);
    if (was === undefined) reasons.push({ section: title, line: section.number, what: "is new" });
    else reasons.push(...difference(title, was, section));
  }
  for (const title of old.keys())
    if (!now.has(title)) reasons.push({ section: title, line: 0, what: "is gone" });
  // Sections have changed places, which matters for `defaults`.
  if (reasons.length === 0 && structure(before) !== structure(after))
    reasons.push({ section: "", line: 0, what: "the order of sections changed" });
  return reasons;
}

/** Sections by `keyword name`; one that stands several times (`global`, `defaults`) gets a count. */
export function byTitle(sections: readonly ConfigSection[]): ReadonlyMap<string, ConfigSection> {
  const found = new Map<string, ConfigSection>();
  for (const section of sections) {
    const title = `${section.keyword} ${section.name}`.trim();
    let key = title;
    for (let count = 2; found.has(key); count++) key = `${title} (${count})`;
    found.set(key, section);
  }
  return found;
}

function difference(section: string, before: ConfigSection, after: ConfigSection): readonly Reason[] {
  if (text(before) !== text(after)) return [{ section, line: after.number, what: "its first line changed" }];
  // The stamp differs whenever anything does: it says nothing.
  const lines = ({ lines: all }: ConfigSection): readonly ConfigLine[] =>
    all.filter((line) => stampOf(line) === null);
  const [old, now] = [lines(before), lines(after)];
  const changed = now.find((line, at) => text(line) !== text(old[at]));
  if (changed !== undefined) return [{ section, line: changed.number, what: `changed: ${changed.words[0]}` }];
  return now.length === old.length ? [] : [{ section, line: after.number, what: "lines are gone" }];
}

const text = (line: { words: readonly string[] } | undefined): string => line?.words.join("\0") ?? "";

import { createHash } from "node:crypto";
import { type ConfigLine, type ConfigSection, readConfig } from "../core/haproxy-config.ts";
import { stampLine, type Stamped } from "../core/stamp.ts";
import { structure } from "../core/structure.ts";

/**
 * Writes into the `global` section of a rendered text who it is, as `description "rev=… text=…"`, where `show info`
 * reads it back: the proof that a worker runs this text and no other. A text with a description of its own is left
 * alone, and so is any text when `enabled` is false; the proof is then a new worker and its servers.
 */
export function stampRevision(text: string, options: { enabled: boolean }): Stamped {
  const sections = readConfig(text);
  const globals = sections.filter(({ keyword }) => keyword === "global");
  const described = globals.some(({ lines }) => lines.some(({ words }) => words[0] === "description"));
  if (!options.enabled || described || text.trim() === "")
    return { text, sections, revision: null, digest: null };
  const stamp = { revision: hash(structure(sections)), digest: hash(text) };
  const line = `    ${stampLine(stamp)}`;
  const global = globals.find(({ conditional }) => conditional !== "wholly");
  if (global === undefined) {
    const stamped = `global\n${line}\n\n${text}`;
    return { text: stamped, sections: readConfig(stamped), ...stamp };
  }
  const at = afterLine(text, global.number);
  return {
    text: `${text.slice(0, at)}${line}\n${text.slice(at)}`,
    sections: withLine(sections, { number: global.number + 1, words: ["description", line.slice(17, -1)] }),
    ...stamp,
  };
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Where the line after line `number` begins. */
function afterLine(text: string, number: number): number {
  let at = 0;
  for (let line = 0; line < number; line++) {
    const newline = text.indexOf("\n", at);
    if (newline === -1) return text.length;
    at = newline + 1;
  }
  return at;
}

/** The sections with a new line at the beginning of one of them: those of thousands of servers are not read again. */
function withLine(sections: readonly ConfigSection[], line: ConfigLine): readonly ConfigSection[] {
  const moved = ({ number, words }: ConfigLine): ConfigLine => ({
    number: number < line.number ? number : number + 1,
    words,
  });
  return sections.map((section) => {
    if (section.number >= line.number)
      return { ...section, number: section.number + 1, lines: section.lines.map(moved) };
    return section.number + 1 === line.number
      ? { ...section, lines: [line, ...section.lines.map(moved)] }
      : section;
  });
}

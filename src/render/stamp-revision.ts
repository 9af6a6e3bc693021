import { createHash } from "node:crypto";
import { type ConfigSection, readConfig, withoutServerLines } from "../core/haproxy-config.ts";
import { stampLine, type Stamped } from "../core/stamp.ts";

/**
 * Writes into the `global` section of a rendered text who it is, as `description "rev=… text=…"`, where `show info`
 * reads it back: the proof that a worker runs this text and no other. A text with a description of its own is left
 * alone, and so is any text when `enabled` is false; the proof is then a new worker and its servers.
 */
export function stampRevision(text: string, options: { enabled: boolean }): Stamped {
  const sections = readConfig(text).filter((section) => section.keyword === "global");
  const described = sections.some(({ lines }) => lines.some(({ words }) => words[0] === "description"));
  if (!options.enabled || described || text.trim() === "") return { text, revision: null, digest: null };
  const [revision, digest] = [hash(withoutServerLines(text)), hash(text)];
  const line = `    ${stampLine({ revision, digest })}`;
  const global = sections.find((section) => isUnconditional(section, text));
  if (global === undefined) return { text: `global\n${line}\n\n${text}`, revision, digest };
  const lines = text.split("\n");
  lines.splice(global.number, 0, line);
  return { text: lines.join("\n"), revision, digest };
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** False between `.if` and `.endif`, where HAProxy may skip the section. */
function isUnconditional(section: ConfigSection, text: string): boolean {
  const before = text.split("\n").slice(0, section.number);
  const count = (word: string): number => before.filter((line) => line.trim().split(/\s/)[0] === word).length;
  return count(".if") === count(".endif");
}

import { createHash } from "node:crypto";
import { readConfig, withoutServerLines } from "../core/haproxy-config.ts";

/**
 * Writes the revision of a rendered text into its `global` section, as `description "rev=…"`, where `show info` reads
 * it back: the proof that a worker runs this text. The revision is a hash of the text without its server lines, so
 * that it stays true while servers come and go without a reload. A text with a description of its own is left alone
 * (`revision` is then null), and so is any text when `enabled` is false.
 */
export function stampRevision(
  text: string,
  options: { enabled: boolean },
): { readonly text: string; readonly revision: string | null } {
  const global = readConfig(text).find((section) => section.keyword === "global");
  const described = global?.lines.some((line) => line.words[0] === "description") ?? false;
  if (!options.enabled || described || text.trim() === "") return { text, revision: null };
  const revision = createHash("sha256").update(withoutServerLines(text)).digest("hex").slice(0, 16);
  const line = `    description "rev=${revision}"`;
  if (global === undefined) return { text: `global\n${line}\n\n${text}`, revision };
  const lines = text.split("\n");
  lines.splice(global.number, 0, line);
  return { text: lines.join("\n"), revision };
}

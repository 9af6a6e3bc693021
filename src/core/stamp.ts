import { type ConfigLine, type ConfigSection, readConfig } from "./haproxy-config.ts";

/**
 * Who a text is. `revision` is a hash of all that needs a reload to be changed, which stays true while servers come
 * and go without one; `digest` is a hash of the whole text. Both are null for a text that is not stamped.
 */
export interface Stamp {
  readonly revision: string | null;
  readonly digest: string | null;
}

/** A configuration with its stamp, as text and taken apart. */
export interface Stamped extends Stamp {
  readonly text: string;
  readonly sections: readonly ConfigSection[];
}

export const stampLine = (stamp: { revision: string; digest: string }): string =>
  `description "rev=${stamp.revision} text=${stamp.digest}"`;

/** Reads a description as HAProxy shows it; nulls when it is no stamp. */
export function parseStamp(description: string): Stamp {
  const [, revision = null, digest = null] =
    /^rev=([0-9a-f]{16}) text=([0-9a-f]{16})$/.exec(description) ?? [];
  return { revision, digest };
}

/** The stamp that a line of the `global` section is; null for any other line. */
export function stampOf(line: ConfigLine): Stamp | null {
  const stamp = line.words[0] === "description" ? parseStamp(line.words[1] ?? "") : null;
  return stamp?.revision === null ? null : stamp;
}

/** What a text that was written before says of itself. */
export function readStamp(text: string): Stamped {
  const sections = readConfig(text);
  const lines = sections.filter(({ keyword }) => keyword === "global").flatMap(({ lines: own }) => own);
  const stamp = lines.map(stampOf).findLast((found) => found !== null);
  return { text, sections, ...(stamp ?? { revision: null, digest: null }) };
}

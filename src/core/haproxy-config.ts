/**
 * A reader of HAProxy's configuration text: sections, lines, words. It follows the manual's section 2.2 (quoting and
 * escaping): words are separated by spaces and tabs; `#` outside quotes starts a comment; a backslash takes the next
 * character as it is; "double quotes" keep spaces, 'single quotes' keep everything. References to the environment
 * (`"${NAME}"`) are left as they stand, since only HAProxy knows its environment. A line that HAProxy would refuse
 * (an open quote) is read to its end: the check is HAProxy's to make.
 */
export interface ConfigLine {
  /** Counted from 1. */
  readonly number: number;
  readonly words: readonly string[];
}

export interface ConfigSection {
  /** `global`, `frontend`, …; empty for what stands before the first section. */
  readonly keyword: string;
  /** The section's name, empty for `global` and the like. */
  readonly name: string;
  /** The line of the keyword, counted from 1. */
  readonly number: number;
  /** Lines with at least one word, the section's own first line left out. */
  readonly lines: readonly ConfigLine[];
}

/** Keywords that begin a section (manual, section 2, as of HAProxy 3.2). */
const SECTION_KEYWORDS = new Set([
  "global",
  "defaults",
  "frontend",
  "backend",
  "listen",
  "peers",
  "resolvers",
  "mailers",
  "userlist",
  "cache",
  "program",
  "ring",
  "log-forward",
  "log-profile",
  "http-errors",
  "fcgi-app",
  "crt-store",
  "traces",
  "acme",
]);

export function readConfig(text: string): readonly ConfigSection[] {
  const sections: ConfigSection[] = [];
  let lines: ConfigLine[] = [];
  const begin = (keyword: string, name: string, number: number): void => {
    lines = [];
    sections.push({ keyword, name, number, lines });
  };
  begin("", "", 0);
  text.split("\n").forEach((line, index) => {
    const words = readWords(line);
    const [keyword, name] = words;
    if (keyword === undefined) return;
    if (SECTION_KEYWORDS.has(keyword)) begin(keyword, name ?? "", index + 1);
    else lines.push({ number: index + 1, words });
  });
  return sections[0]?.lines.length === 0 ? sections.slice(1) : sections;
}

/** The words of one line. */
export function readWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = "";
      else word += char;
    } else if (char === "\\") {
      const escape = readEscape(line, at);
      word = (word ?? "") + escape.text;
      at += escape.length - 1;
    } else if (char === '"' || (char === "'" && quote === "")) {
      quote = quote === char ? "" : char;
      word ??= "";
    } else if (quote === "" && (char === " " || char === "\t" || char === "\r")) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === "" && char === "#") {
      break;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

const CONTROL_ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function readEscape(line: string, at: number): { text: string; length: number } {
  const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
  if (hex !== null) return { text: String.fromCharCode(Number.parseInt(hex[1] ?? "", 16)), length: 4 };
  const next = line.charAt(at + 1);
  return { text: CONTROL_ESCAPES[next] ?? next, length: 2 };
}

/** A `server` line of a `backend` or `listen` section. */
export interface ServerLine {
  /** Name of the backend or listen section. */
  readonly backend: string;
  readonly name: string;
  /** As written: `10.0.0.5:80`, `[fd00::5]:80`. */
  readonly address: string;
  readonly number: number;
  /** All words after the address. */
  readonly options: readonly string[];
}

const SERVED_SECTIONS = new Set(["backend", "listen"]);

/** True for the sections whose `server` lines are servers of a backend (those of `peers` are not). */
export const holdsServers = (section: ConfigSection): boolean => SERVED_SECTIONS.has(section.keyword);

/** All servers, in the order of the file. */
export function serverLines(sections: readonly ConfigSection[]): readonly ServerLine[] {
  return sections.filter(holdsServers).flatMap((section) =>
    section.lines.flatMap(({ number, words: [keyword, name, address, ...options] }) => {
      if (keyword !== "server" || name === undefined || address === undefined) return [];
      return [{ backend: section.name, name, address, number, options }];
    }),
  );
}

/** The text without the server lines of its backends: two texts with the same rest need no reload to change over. */
export function withoutServerLines(text: string): string {
  const numbers = new Set(serverLines(readConfig(text)).map((line) => line.number));
  return text
    .split("\n")
    .filter((_, index) => !numbers.has(index + 1))
    .join("\n");
}

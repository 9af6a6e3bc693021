import { readWords } from "./config-words.ts";

/**
 * A reader of HAProxy's configuration text: sections, lines, words (manual, section 2). Lines of servers, which may
 * be many thousands, are found and named, but taken apart only where somebody needs their words. A line that HAProxy
 * would refuse (an open quote) is read to its end: the check is HAProxy's to make.
 */
export interface ConfigSection {
  /** `global`, `frontend`, …; empty for what stands before the first section. */
  readonly keyword: string;
  /** The section's name, empty for `global` and the like. */
  readonly name: string;
  /** All words of the section's first line: `defaults` may be named in it (`backend api from base`). */
  readonly words: readonly string[];
  /** The line of the keyword, counted from 1. */
  readonly number: number;
  /** Whether HAProxy may skip it: `wholly` stands in a block of `.if`, `partly` has one in it or at its end. */
  readonly conditional: "never" | "partly" | "wholly";
  /** Lines with at least one word, without the section's first one and those of servers. */
  readonly lines: readonly ConfigLine[];
  /** The `server` lines of a backend or listen section, in the order of the file; those of `peers` are no servers. */
  readonly servers: readonly ServerLine[];
}

export interface ConfigLine {
  /** Counted from 1. */
  readonly number: number;
  readonly words: readonly string[];
}

/** A `server` line of a `backend` or `listen` section. */
export interface ServerLine {
  readonly name: string;
  /** The line as it stands in the file. */
  readonly raw: string;
  /** How many lines below the section's first one. */
  readonly offset: number;
  /** How many `default-server` lines of the section stand above it: only those apply to it. */
  readonly defaults: number;
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
  "namespace_list",
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

const SERVED_SECTIONS = new Set(["backend", "listen"]);

/** A server's line with a plain name, as nearly all are. */
const SERVER_LINE = /[ \t]*server[ \t]+([A-Za-z0-9_.:-]+)[ \t]/y;

export function readConfig(text: string): readonly ConfigSection[] {
  const reader = sectionReader();
  let number = 0;
  for (let start = 0; start < text.length; number++) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    reader.line(text, { start, end, number: number + 1 });
    start = end + 1;
  }
  return reader.sections();
}

interface OpenSection extends ConfigSection {
  conditional: ConfigSection["conditional"];
  readonly lines: ConfigLine[];
  readonly servers: ServerLine[];
}

function sectionReader() {
  const sections: OpenSection[] = [];
  /** Blocks of `.if` that are open. */
  let depth = 0;
  let defaults = 0;
  const begin = (words: readonly string[], number: number): OpenSection => {
    const [keyword = "", name = ""] = words;
    const conditional = depth > 0 ? "wholly" : "never";
    const section: OpenSection = { keyword, name, words, number, conditional, lines: [], servers: [] };
    defaults = 0;
    sections.push(section);
    return section;
  };
  let open = begin([], 0);

  function line(text: string, { start, end, number }: { start: number; end: number; number: number }): void {
    const isServed = SERVED_SECTIONS.has(open.keyword);
    const addServer = (name: string): void => {
      open.servers.push({ name, raw: text.slice(start, end), offset: number - open.number, defaults });
    };
    SERVER_LINE.lastIndex = start;
    const name = isServed ? SERVER_LINE.exec(text)?.[1] : undefined;
    if (name !== undefined && SERVER_LINE.lastIndex <= end) {
      addServer(name);
      return;
    }
    const words = readWords(text.slice(start, end));
    const [keyword] = words;
    if (keyword === undefined) return;
    if (SECTION_KEYWORDS.has(keyword)) {
      open = begin(words, number);
    } else if (isServed && keyword === "server") {
      addServer(words[1] ?? "");
    } else {
      open.lines.push({ number, words });
      if (keyword === "default-server") defaults++;
      if (keyword === ".if") depth++;
      if (keyword === ".endif") depth = Math.max(0, depth - 1);
      if (keyword.startsWith(".") && open.conditional === "never") open.conditional = "partly";
    }
  }
  return {
    line,
    sections: (): readonly ConfigSection[] =>
      sections.filter(({ number, lines }) => number > 0 || lines.length > 0),
  };
}

/** A server, with the name of its section. */
export interface BackendServer extends ServerLine {
  readonly backend: string;
  /** Counted from 1. */
  readonly number: number;
}

/** All servers, in the order of the file. */
export function serversOf(sections: readonly ConfigSection[]): readonly BackendServer[] {
  return sections.flatMap(({ name, number, servers }) =>
    servers.map((line) => ({ ...line, backend: name, number: number + line.offset })),
  );
}

/** How many servers there are. */
export const countServers = (sections: readonly ConfigSection[]): number =>
  sections.reduce((count, { servers }) => count + servers.length, 0);

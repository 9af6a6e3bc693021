import type { ConfigLine, ConfigSection, ServerLine } from "./haproxy-config.ts";
import { readWords } from "./config-words.ts";

/** What holds for the servers of a section: its own lines, laid over those of the `defaults` that it inherits. */
export interface ProxySettings {
  /** True when only HAProxy knows what holds, because of `.if`. */
  readonly isConditional: boolean;
  /** The arguments of the last line with this keyword; null = there is none. */
  last(keyword: string): readonly string[] | null;
  /** All lines with this keyword, the inherited ones first. */
  all(keyword: string): readonly ConfigLine[];
  /** Whether `option NAME` is on. */
  option(name: string): boolean;
  /** The words after the address of a server's line, those of the `default-server` lines that apply to it first. */
  serverWords(line: ServerLine): { address: string; words: readonly string[] };
}

/**
 * A section without `from` inherits from the last `defaults` section before it; a `defaults` section with `from` from
 * the one that it names (manual, section 4).
 */
export function proxySettings(section: ConfigSection, sections: readonly ConfigSection[]): ProxySettings {
  const inherited = parents(section, sections);
  const lines = [...inherited.flatMap((parent) => parent.lines), ...section.lines];
  const all = (keyword: string): readonly ConfigLine[] => lines.filter(({ words }) => words[0] === keyword);
  const foreign = inherited
    .flatMap(({ lines: own }) => own)
    .filter(isDefaultServer)
    .flatMap(argumentsOf);
  const own = section.lines.filter(isDefaultServer).map(argumentsOf);
  return {
    isConditional: [section, ...inherited].some(({ conditional }) => conditional !== "never"),
    all,
    last: (keyword) => all(keyword).at(-1)?.words.slice(1) ?? null,
    option: (name) => {
      const found = lines.findLast(
        ({ words }) => /^(?:no )?option /.test(words.join(" ")) && words.includes(name),
      );
      return found?.words[0] === "option";
    },
    serverWords: ({ raw, defaults }) => {
      const [, , address = "", ...words] = readWords(raw);
      return { address, words: [...foreign, ...own.slice(0, defaults).flat(), ...words] };
    },
  };
}

const isDefaultServer = ({ words }: ConfigLine): boolean => words[0] === "default-server";
const argumentsOf = ({ words }: ConfigLine): readonly string[] => words.slice(1);

/** The `defaults` sections that a section inherits, the farthest first. */
function parents(section: ConfigSection, sections: readonly ConfigSection[]): readonly ConfigSection[] {
  const before = sections.slice(0, sections.indexOf(section)).filter(({ keyword }) => keyword === "defaults");
  const name = parentName(section);
  if (name === null && section.keyword === "defaults") return [];
  const parent = name === null ? before.at(-1) : before.findLast((one) => one.name === name);
  return parent === undefined ? [] : [...parents(parent, sections), parent];
}

/** The name after `from`; a proxy may be called `from` itself, and a `defaults` section need not have a name. */
function parentName({ keyword, words }: ConfigSection): string | null {
  if (keyword === "defaults" && words[1] === "from") return words[2] ?? null;
  return words[2] === "from" ? (words[3] ?? null) : null;
}

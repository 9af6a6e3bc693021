import {
  isAlias,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type YAMLMap,
} from "yaml";

/** One entry of a mapping, and the line where its key stands. */
export interface YamlEntry {
  readonly key: string;
  readonly value: unknown;
  readonly line: number;
}

/**
 * The value of a YAML 1.2 text (JSON is YAML).
 * @throws Error with `fileName:line:column` and the cause.
 */
export function parseYaml(text: string, fileName: string): unknown {
  const { document } = parse(text, fileName);
  return resolve(() => document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, `${fileName}:1:1`);
}

/**
 * The entries of a text that is one mapping, in their order. Keys that look like numbers are text all the same.
 * @throws Error as `parseYaml` does, and when the text is empty or no mapping.
 */
export function yamlEntries(text: string, fileName: string): readonly YamlEntry[] {
  const { document, lines } = parse(text, fileName);
  const { contents } = document;
  if (!isMap(contents)) {
    throw new Error(`${fileName}:1:1: expected a mapping of names to values; write {} for none`);
  }
  return contents.items.map(({ key, value }) => {
    const { line, col } = lines.linePos(key.range?.[0] ?? 0);
    const place = `${fileName}:${line}:${col}`;
    if (!isScalar(key)) throw new Error(`${place}: a key must be a text`);
    const plain = (): unknown => value?.toJS(document, { maxAliasCount: MAX_ALIASES });
    return { key: key.source ?? String(key.value), value: resolve(plain, place), line };
  });
}

const MAX_ALIASES = 100;
/** For each alias the whole text is searched for its anchor, and all that stands there may be copied. */
const MAX_ALIAS_STEPS = 5_000_000;
/** A plain server has three, one with all fields some fifty; each takes up to 700 bytes until the text is read. */
const MAX_PARTS = 500_000;
/** The same with spaces, commas and line ends. */
const MAX_TOKENS = 1_300_000;
/** What the package's lexer says before a text, and what begins or makes a value in another way. */
const PARTS = new Set("\u001f[{?:*&!-");

type Parsed = { document: Document.Parsed; lines: LineCounter };

function parse(text: string, fileName: string): Parsed {
  if (isHuge(text)) throw new Error(`${fileName}:1:1: more than ${MAX_PARTS} keys and values`);
  const lines = new LineCounter();
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${line}:${col}`;
  };
  // The package compares each key with all before it: 16,000 of them would hold everything up for seconds.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${placeOf(error.pos[0])}: ${wordsOf(error.message)}`);
  const { twice, isCostly } = examine(document);
  if (twice !== null) throw new Error(`${placeOf(twice)}: Map keys must be unique`);
  if (isCostly) throw new Error(`${fileName}:1:1: too many aliases for so long a text: write the values out`);
  return { document, lines };
}

function isHuge(text: string): boolean {
  let [tokens, parts] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (PARTS.has(token.charAt(0))) parts++;
    if (++tokens > MAX_TOKENS || parts > MAX_PARTS) return true;
  }
  return false;
}

const wordsOf = (message: string): string => (/call stack/.test(message) ? "nested too deeply" : message);

/** Where the first key stands that its mapping has already, and whether aliases would take too long to resolve. */
function examine(document: Document.Parsed): { twice: number | null; isCostly: boolean } {
  let [nodes, aliases] = [0, 0];
  let twice: number | null = null;
  visit(document, (_, node) => {
    nodes++;
    if (isAlias(node)) aliases++;
    if (isMap(node)) twice ??= secondKey(node);
  });
  return { twice, isCostly: aliases * nodes > MAX_ALIAS_STEPS };
}

function secondKey({ items }: YAMLMap): number | null {
  const seen = new Set<string>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    const texts = new Set([String(key.value), key.source ?? String(key.value)]);
    for (const text of texts) if (seen.has(text)) return key.range?.[0] ?? 0;
    for (const text of texts) seen.add(text);
  }
  return null;
}

/** Aliases are resolved only here, and only so many of them: a small file must not become a large value. */
function resolve(read: () => unknown, place: string): unknown {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${place}: cannot be resolved`, { cause });
  }
}

import { isMap, isScalar, LineCounter, parseDocument, type Document } from "yaml";

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

type Parsed = { document: Document.Parsed; lines: LineCounter };

function parse(text: string, fileName: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error === undefined) return { document, lines };
  const { line, col } = lines.linePos(error.pos[0]);
  throw new Error(`${fileName}:${line}:${col}: ${error.message}`);
}

/** Aliases are resolved only here, and only so many of them: a small file must not become a large value. */
function resolve(read: () => unknown, place: string): unknown {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${place}: cannot be resolved`, { cause });
  }
}

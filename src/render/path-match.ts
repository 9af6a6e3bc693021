/**
 * A pattern of Go's `path.Match`, as confd's `gets` and `getvs` take it: `*` any characters but "/", `?` one of them,
 * `[a-z]` and `[^a-z]` one of a class, and a backslash takes the next character as it is.
 */
export interface PathMatch {
  /** The characters that every match begins with. */
  readonly prefix: string;
  matches(text: string): boolean;
}

/** @throws Error when the pattern is malformed: a class that is empty or left open, a backslash at the end. */
export function pathMatch(pattern: string): PathMatch {
  const prefix = /^[^*?[\\]*/.exec(pattern)?.[0] ?? "";
  const rest = pattern.slice(prefix.length);
  if (rest === "") return { prefix, matches: (text) => text === prefix };
  if (rest === "*") {
    return { prefix, matches: (text) => text.startsWith(prefix) && !text.includes("/", prefix.length) };
  }
  const expression = new RegExp(`^${escape(prefix)}${translate(rest, pattern)}$`, "su");
  return { prefix, matches: (text) => expression.test(text) };
}

const CLASS_ITEM =
  /^(?:\\(?<escapedLow>[^])|(?<low>[^\\\]-]))(?:-(?:\\(?<escapedHigh>[^])|(?<high>[^\\\]-])))?/u;

function translate(rest: string, pattern: string): string {
  let expression = "";
  for (let at = 0; at < rest.length;) {
    const char = String.fromCodePoint(rest.codePointAt(at) ?? 0);
    if (char === "[") {
      const set = readClass(rest.slice(at), pattern);
      expression += set.expression;
      at += set.length;
    } else if (char === "\\") {
      const escaped = String.fromCodePoint(rest.codePointAt(at + 1) ?? malformed(pattern));
      expression += escape(escaped);
      at += 1 + escaped.length;
    } else {
      expression += char === "*" ? "[^/]*" : char === "?" ? "[^/]" : escape(char);
      at += char.length;
    }
  }
  return expression;
}

/** `text` begins with "[". */
function readClass(text: string, pattern: string): { expression: string; length: number } {
  const negated = text.startsWith("[^");
  let at = negated ? 2 : 1;
  let items = "";
  while (items === "" || text.charAt(at) !== "]") {
    const item = CLASS_ITEM.exec(text.slice(at));
    if (item === null) return malformed(pattern);
    const { escapedLow, low = escapedLow, escapedHigh, high = escapedHigh } = item.groups ?? {};
    items += high === undefined ? escape(low ?? "") : `${escape(low ?? "")}-${escape(high)}`;
    at += item[0].length;
  }
  return { expression: `[${negated ? "^" : ""}${items}]`, length: at + 1 };
}

function malformed(pattern: string): never {
  throw new Error(`syntax error in pattern ${JSON.stringify(pattern)}`);
}

/** The code point, so that no character can mean anything. */
const escape = (text: string): string =>
  Array.from(text, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`).join("");

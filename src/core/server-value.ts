import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { parseServerJson } from "./server-json.ts";
import { fieldsFromWords, SERVER_WORDS } from "./server-words.ts";
import type { ServerFields } from "./server.ts";
import { suggest } from "./suggest.ts";

/** Of UTF-8. */
export const MAX_VALUE_BYTES = 4096;
const FORM = "write HOST:PORT, perhaps with words behind it, like 172.17.0.5:8000 weight=50";
/** Words that mean something by themselves: `backup`, `check`. */
const BARE_WORDS: ReadonlyMap<string, string> = new Map([
  ["backup", "true"],
  ["check", "on"],
]);
const FORBIDDEN = /["'`#\\]/;
/** Printable ASCII without the forbidden ones, all at once: ten thousand values are read at a start. */
const ALLOWED = /^[ !$-&(-[\]-_a-~]*$/;

/**
 * What a value in the registry says about a server: `HOST:PORT`, the same with words behind it
 * (`10.0.0.5:80 weight=50 backup`), or a JSON object. White space around it is no part of it.
 */
export function parseServerValue(text: string): Result<ServerFields> {
  if (isTooLong(text)) {
    return refuse(`the value is longer than ${MAX_VALUE_BYTES} bytes`);
  }
  const value = text.trim();
  if (value === "") return refuse(`the value is empty: ${FORM}`);
  if (value.startsWith("{")) return parseServerJson(value);
  const odd = ALLOWED.test(value) ? undefined : oddCharacter(value);
  if (odd !== undefined) return refuse(`${odd} is not allowed in ${quote(value)}: ${FORM}`);
  const [address = "", ...rest] = value.split(/ +/);
  if (/^[a-z.]+=/i.test(address)) return refuse(`${quote(address)} stands in the address's place: ${FORM}`);
  const words = readWords(rest);
  return words.ok ? fieldsFromWords(address, words.value) : words;
}

/** A character takes up to three bytes, those of two UTF-16 units take four: most texts need not be encoded to tell. */
function isTooLong(text: string): boolean {
  if (text.length * 3 <= MAX_VALUE_BYTES) return false;
  return text.length > MAX_VALUE_BYTES || new TextEncoder().encode(text).length > MAX_VALUE_BYTES;
}

/** Names the first character that no value outside of JSON may have. */
function oddCharacter(value: string): string | undefined {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code > 0x7e)
      return `the character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    if (FORBIDDEN.test(character)) return `the character ${character}`;
  }
  return undefined;
}

function readWords(texts: readonly string[]): Result<ReadonlyMap<string, string>> {
  const words = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? BARE_WORDS.get(name) : text.slice(equals + 1);
    if (!isKnown(name)) return refuse(unknownWord(name));
    if (value === undefined || value === "") return refuse(`${name} needs a value: ${name}=…`);
    if (words.has(name)) return refuse(`${name} is given twice`);
    words.set(name, value);
  }
  return accept(words);
}

const KNOWN: ReadonlySet<string> = new Set(SERVER_WORDS);
const isKnown = (name: string): boolean => KNOWN.has(name) || name.startsWith("meta.");

function unknownWord(name: string): string {
  const meant = suggest(name, SERVER_WORDS);
  const hint =
    meant === undefined ? `known are ${SERVER_WORDS.join(", ")}, meta.KEY` : `did you mean ${meant}?`;
  return `unknown word ${quote(name)}: ${hint}`;
}

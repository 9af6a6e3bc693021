/**
 * The words that HAProxy makes of one line of its configuration, measured against HAProxy itself on each branch
 * (`test/golden/config-words.test.ts`):
 *
 * - Words are separated by space, tab, vertical tab and form feed. A carriage return is a separator among those, and
 *   ends the line anywhere else. There is no continuation: a backslash at the end of a line is a backslash.
 * - `#` outside quotes starts a comment, in the middle of a word too. Quotes may stand in the middle of a word, and an
 *   empty pair of them makes an empty word, which ends the list of arguments for most keywords.
 * - A backslash outside single quotes takes away the meaning of space, `\`, `#`, `'`, `"`, and within double quotes of
 *   `$`; `\n`, `\r`, `\t` and `\x41` mean what they mean in C. Before anything else it is an ordinary character.
 *   `\x00` cuts the rest of its word off.
 *
 * References to the environment (`"$NAME"`, `"${NAME[*]-default}"`; double quotes only) are left as they stand, for
 * only HAProxy knows its environment: it may put any text there, several words, or nothing, and 3.0 and 3.2 then join
 * the next word to this one (`"a$UNSET" b` is `ab`). And nobody can tell `"$NAME"` from `'$NAME'` here. So a line with a
 * `$` in its words is not to be taken apart any further.
 *
 * A byte that was written as `\x80` to `\xff` becomes U+DC80 to U+DCFF, which no file has, so that it equals nothing
 * else. A line that HAProxy refuses gives some words or other: the check is HAProxy's to make.
 */
export function readWords(line: string): readonly string[] {
  if (!NEEDS_CARE.test(line)) return line.match(PLAIN_WORDS) ?? [];
  return (line.match(WRITTEN_WORDS) ?? []).map((written) => unquote(written.replace(LEADING_GAP, "")));
}

const NEEDS_CARE = /["'\\#]|\r./s;
const PLAIN_WORDS = /[^ \t\v\f\r]+/g;
const LEADING_GAP = /^[ \t\v\f\r]+/;

const REFERENCE = String.raw`\$(?:[A-Za-z_.]\w*|\{[A-Za-z_.]\w*(?:\[\*\])?(?:-[^}]*)?\}?)`;
const SINGLE_QUOTED = String.raw`'([^'\r]*)'?`;
const DOUBLE_QUOTED = String.raw`"((?:[^"\\$\r]+|\\["\\$]?|${REFERENCE}|\$)*)"?`;
// Sticky: the words end where the next one does not follow, which is at a `#` or at a carriage return.
const WRITTEN_WORDS = new RegExp(
  String.raw`(?:^[ \t\v\f\r]*|[ \t\v\f][ \t\v\f\r]*)(?:[^ \t\v\f\r"'\\#]+|\\[ \\#'"]?|${SINGLE_QUOTED}|${DOUBLE_QUOTED})+`,
  "gy",
);

const ESCAPE = String.raw`\\x([0-9a-fA-F]{2})|\\([ \\#'"nrt])`;
const OUTSIDE_QUOTES = new RegExp(`${ESCAPE}|${SINGLE_QUOTED}|${DOUBLE_QUOTED}`, "g");
const IN_DOUBLE_QUOTES = new RegExp(String.raw`${ESCAPE}|\\(\$)|${REFERENCE}`, "g");

function unquote(written: string): string {
  if (!/["'\\]/.test(written)) return written;
  const word = written.replace(
    OUTSIDE_QUOTES,
    (text, hex?: string, char?: string, single?: string, double?: string) =>
      double === undefined
        ? (single ?? unescape(text, hex, char))
        : double.replace(IN_DOUBLE_QUOTES, unescape),
  );
  const end = word.indexOf("\0");
  return end === -1 ? word : word.slice(0, end);
}

const CONTROL: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** The meaning of an escape; a reference to the environment, which is none, stays. */
function unescape(text: string, hex?: string, char?: string, dollar?: string): string {
  if (char !== undefined) return CONTROL[char] ?? char;
  if (hex === undefined) return dollar ?? text;
  const value = Number.parseInt(hex, 16);
  return String.fromCharCode(value < 0x80 ? value : 0xdc00 + value);
}

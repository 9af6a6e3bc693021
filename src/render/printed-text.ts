/**
 * The text of a value that a template prints with `<%= … %>`. One value can never become a second line: a label or a
 * key with a newline in it would otherwise write directives of its own into the configuration.
 * @throws Error for null, undefined, NaN, objects, lists and functions (nobody wants `[object Object]` in a
 * configuration), and for text with `\r`, `\n` or `\0`.
 */
export function printedText(value: unknown): string {
  const text = anyText(value);
  const at = text.search(/[\r\n\0]/);
  if (at < 0) return text;
  const found = JSON.stringify(text.charAt(at));
  throw new Error(`the value holds a ${found}, which would begin another line: ${JSON.stringify(cut(text))}`);
}

/**
 * The text of what a template prints with `<%~ … %>`: what it made itself (an include, a block) or trusts, and which
 * may have many lines.
 * @throws Error as `printedText`, but newlines pass.
 */
export function rawText(value: unknown): string {
  const text = anyText(value);
  if (text.includes("\0")) throw new Error(`the value holds a NUL character: ${JSON.stringify(cut(text))}`);
  return text;
}

function anyText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint" || Number.isFinite(value)) return String(value);
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString();
  throw new Error(`the value is ${kind(value)}`);
}

function kind(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number") return String(value);
  if (Array.isArray(value)) return "a list: join it, or print its items one by one";
  if (value instanceof Promise) return "a promise: write await in front of the call";
  if (typeof value === "function") return "a function: call it";
  if (typeof value === "object") return "an object: print one of its fields";
  return `a ${typeof value}`;
}

const cut = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

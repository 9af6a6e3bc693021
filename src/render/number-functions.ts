/*
 * confd's functions with whole numbers. A text is refused rather than joined on: what comes from a key goes through
 * `atoi` first.
 */

/** @throws Error when the text is not a whole number in decimal digits. */
export function atoi(text: string): number {
  if (/^[+-]?[0-9]+$/.test(text)) return whole("atoi", Number(text));
  throw new Error(`atoi: not a whole number: ${JSON.stringify(text)}`);
}

export const add = (a: number, b: number): number => whole("add", a) + whole("add", b);
export const sub = (a: number, b: number): number => whole("sub", a) - whole("sub", b);
export const mul = (a: number, b: number): number => whole("mul", a) * whole("mul", b);

/** Quotient, cut towards zero. @throws Error for a division by zero. */
export const div = (a: number, b: number): number => Math.trunc(whole("div", a) / divisor("div", b)) + 0;

/** Remainder, with the sign of `a`. @throws Error for a division by zero. */
export const mod = (a: number, b: number): number => (whole("mod", a) % divisor("mod", b)) + 0;

/** `seq(3, 5)` is 3, 4, 5. @throws Error for more than a million numbers. */
export function seq(first: number, last: number): readonly number[] {
  const length = Math.max(0, whole("seq", last) - whole("seq", first) + 1);
  if (length > 1_000_000) throw new Error(`seq: ${length} numbers are too many`);
  return Array.from({ length }, (_, index) => first + index);
}

function whole(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const hint = typeof value === "string" ? ", turn it into a number with atoi" : "";
  throw new Error(`${name}: ${JSON.stringify(value)} is not a whole number${hint}`);
}

function divisor(name: string, value: unknown): number {
  if (value === 0) throw new Error(`${name}: division by zero`);
  return whole(name, value);
}

/**
 * The given fields of a JSON object, all of them texts that are short and printable; null = it is something else.
 */
export function textFields<N extends string>(
  text: string,
  names: readonly N[],
): Readonly<Record<N, string>> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const found: Partial<Record<N, string>> = {};
  for (const name of names) {
    const field = (value as Partial<Record<string, unknown>>)[name];
    if (typeof field !== "string" || !/^[\x20-\x7E]{1,256}$/.test(field)) return null;
    found[name] = field;
  }
  return found as Record<N, string>;
}

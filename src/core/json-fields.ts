import { quote } from "./address.ts";
import { suggest } from "./suggest.ts";

/** The text of each field, by the name of its word. */
export type Words = Map<string, string>;
/** Puts one field's text into `words`; returns why it cannot. */
export type FieldReader = (words: Words, name: string, value: unknown) => string | null;

/** A field whose value has one simple type and one word. */
export const simpleField =
  (type: "number" | "boolean" | "string", example: string): FieldReader =>
  (words, name, value) => {
    if (typeof value !== type) return `${name} must be a ${type}, like ${example}`;
    words.set(name, String(value));
    return null;
  };

/**
 * Puts the fields of a JSON object or a YAML mapping into `words`; a field that is null counts as left out.
 * @returns why it cannot, or null. `what` begins the reason: "a server".
 */
export function readFields(
  words: Words,
  value: unknown,
  options: { what: string; fields: ReadonlyMap<string, FieldReader> },
): string | null {
  const { what, fields } = options;
  if (!isMapping(value)) return `${what} must be an object with the fields ${[...fields.keys()].join(", ")}`;
  for (const [name, field] of Object.entries(value)) {
    const reader = fields.get(name);
    if (reader === undefined) return unknownField(name, what, [...fields.keys()]);
    const problem = field === null ? null : reader(words, name, field);
    if (problem !== null) return problem;
  }
  return null;
}

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function unknownField(name: string, what: string, known: readonly string[]): string {
  const meant = suggest(name, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${quote(meant)}?`;
  return `${what} has no field ${quote(name)}: ${hint}`;
}

import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { fieldsFromWords } from "./server-words.ts";
import type { ServerFields } from "./server.ts";
import { suggest } from "./suggest.ts";

type Words = Map<string, string>;
/** Puts one field's text into `words`; returns why it cannot. */
type Reader = (words: Words, name: string, value: unknown) => string | null;

/** A field whose value has one simple type and one word. */
const simple =
  (type: "number" | "boolean" | "string", example: string): Reader =>
  (words, name, value) => {
    if (typeof value !== type) return `${name} must be a ${type}, like ${example}`;
    words.set(name, String(value));
    return null;
  };

const CHECK_FIELDS: ReadonlyMap<string, Reader> = new Map([
  ["path", simple("string", '"/healthz"')],
  ["interval", simple("string", '"2s"')],
  ["rise", simple("number", "2")],
  ["fall", simple("number", "5")],
]);

const readCheck: Reader = (words, name, value) => {
  if (typeof value === "boolean") return simple("boolean", "true")(words, name, value);
  const inner: Words = new Map();
  const problem = readObject(inner, value, { what: "check", fields: CHECK_FIELDS });
  if (problem !== null)
    return isMapping(value) ? problem : `${name} must be true, false or {"path":"/healthz"}`;
  const { path = "on", ...rest } = Object.fromEntries(inner);
  // The words `on` and `off` are no paths, and must not become any here.
  if (inner.has("path") && !path.startsWith("/")) return `check path ${quote(path)} does not begin with "/"`;
  words.set("check", path);
  for (const [detail, text] of Object.entries(rest)) words.set(detail, text);
  return null;
};

const readTags: Reader = (words, name, value) => {
  const isTag = (tag: unknown): tag is string => typeof tag === "string" && !tag.includes(",") && tag !== "";
  if (!Array.isArray(value) || !value.every(isTag)) return `${name} must be a list of words, like ["blue"]`;
  words.set(name, value.join(","));
  return null;
};

const readMeta: Reader = (words, name, value) => {
  if (!isMapping(value)) return `${name} must be an object of texts, like {"zone":"a"}`;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") return `${name} ${quote(key)} must be a text`;
    words.set(`meta.${key}`, text);
  }
  return null;
};

const FIELDS: ReadonlyMap<string, Reader> = new Map([
  ["address", simple("string", '"10.0.0.5:80"')],
  ["weight", simple("number", "50")],
  ["backup", simple("boolean", "true")],
  ["maxconn", simple("number", "100")],
  ["state", simple("string", '"drain"')],
  ["check", readCheck],
  ["tags", readTags],
  ["meta", readMeta],
  ["host", simple("string", '"example.org"')],
  ["path", simple("string", '"/api"')],
]);

/** A server from the value of a JSON text or a YAML mapping; a field that is null counts as left out. */
export function parseServerObject(value: unknown): Result<ServerFields> {
  const words: Words = new Map();
  const problem = readObject(words, value, { what: "a server", fields: FIELDS });
  if (problem !== null) return refuse(problem);
  const address = words.get("address");
  if (address === undefined) return refuse('the field address is missing, like {"address":"10.0.0.5:80"}');
  words.delete("address");
  return fieldsFromWords(address, words);
}

/** The same from JSON text. */
export function parseServerJson(text: string): Result<ServerFields> {
  const parsed = parseJson(text);
  return parsed.ok ? parseServerObject(parsed.value) : parsed;
}

function readObject(
  words: Words,
  value: unknown,
  options: { what: string; fields: ReadonlyMap<string, Reader> },
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

function unknownField(name: string, what: string, known: readonly string[]): string {
  const meant = suggest(name, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${quote(meant)}?`;
  return `${what} has no field ${quote(name)}: ${hint}`;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseJson(text: string): Result<unknown> {
  try {
    return accept(JSON.parse(text) as unknown);
  } catch {
    // The engine's message quotes the text, which is not trusted, and differs from version to version.
    return refuse(`${quote(text)} begins like JSON but is none`);
  }
}

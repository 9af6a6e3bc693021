import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { type FieldReader, isMapping, readFields, simpleField as simple, type Words } from "./json-fields.ts";
import { parseRouteHost, parseRoutePath } from "./server-fields.ts";
import { fieldsFromWords } from "./server-words.ts";
import type { Route, ServerFields } from "./server.ts";

const CHECK_FIELDS: ReadonlyMap<string, FieldReader> = new Map([
  ["path", simple("string", '"/healthz"')],
  ["interval", simple("string", '"2s"')],
  ["rise", simple("number", "2")],
  ["fall", simple("number", "5")],
]);

const readCheck: FieldReader = (words, name, value) => {
  if (typeof value === "boolean") return simple("boolean", "true")(words, name, value);
  const inner: Words = new Map();
  const problem = readFields(inner, value, { what: "check", fields: CHECK_FIELDS });
  if (problem !== null)
    return isMapping(value) ? problem : `${name} must be true, false or {"path":"/healthz"}`;
  const { path = "on", ...rest } = Object.fromEntries(inner);
  // The words `on` and `off` are no paths, and must not become any here.
  if (inner.has("path") && !path.startsWith("/")) return `check path ${quote(path)} does not begin with "/"`;
  words.set("check", path);
  for (const [detail, text] of Object.entries(rest)) words.set(detail, text);
  return null;
};

const readTags: FieldReader = (words, name, value) => {
  const isTag = (tag: unknown): tag is string => typeof tag === "string" && !tag.includes(",") && tag !== "";
  if (!Array.isArray(value) || !value.every(isTag)) return `${name} must be a list of words, like ["blue"]`;
  words.set(name, value.join(","));
  return null;
};

const readMeta: FieldReader = (words, name, value) => {
  if (!isMapping(value)) return `${name} must be an object of texts, like {"zone":"a"}`;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") return `${name} ${quote(key)} must be a text`;
    words.set(`meta.${key}`, text);
  }
  return null;
};

const ROUTE_FIELDS: ReadonlyMap<string, FieldReader> = new Map([
  ["host", simple("string", '"example.org"')],
  ["path", simple("string", '"/api"')],
]);

const FIELDS: ReadonlyMap<string, FieldReader> = new Map([
  ["address", simple("string", '"10.0.0.5:80"')],
  ["weight", simple("number", "50")],
  ["backup", simple("boolean", "true")],
  ["maxconn", simple("number", "100")],
  ["state", simple("string", '"drain"')],
  ["check", readCheck],
  ["tags", readTags],
  ["meta", readMeta],
  ...ROUTE_FIELDS,
  // Several routes are no word: `readRoutes` takes them.
  ["routes", () => null],
]);

/** A server from the value of a JSON text or a YAML mapping; a field that is null counts as left out. */
export function parseServerObject(value: unknown): Result<ServerFields> {
  const words: Words = new Map();
  const problem = readFields(words, value, { what: "a server", fields: FIELDS });
  if (problem !== null) return refuse(problem);
  const address = words.get("address");
  if (address === undefined) return refuse('the field address is missing, like {"address":"10.0.0.5:80"}');
  words.delete("address");
  const routes = readRoutes((value as { routes?: unknown }).routes ?? null);
  if (!routes.ok) return routes;
  const [single] = [...ROUTE_FIELDS.keys()].filter((name) => words.has(name));
  if (routes.value !== null && single !== undefined)
    return refuse(`routes and ${single} contradict each other: put all into routes`);
  const fields = fieldsFromWords(address, words);
  return fields.ok && routes.value !== null ? accept({ ...fields.value, routes: routes.value }) : fields;
}

/** null = it is left out. */
function readRoutes(value: unknown): Result<readonly Route[] | null> {
  if (value === null) return accept(null);
  if (!Array.isArray(value))
    return refuse('routes must be a list, like [{"host":"example.org","path":"/api"}]');
  const routes: Route[] = [];
  for (const one of value as readonly unknown[]) {
    const route = readRoute(one);
    if (!route.ok) return refuse(`routes: ${route.reason}`);
    routes.push(route.value);
  }
  return accept(routes);
}

function readRoute(value: unknown): Result<Route> {
  const words: Words = new Map();
  const problem = readFields(words, value, { what: "a route", fields: ROUTE_FIELDS });
  if (problem !== null) return refuse(problem);
  const [hostText, pathText] = [words.get("host"), words.get("path")];
  const host = hostText === undefined ? accept(null) : parseRouteHost(hostText);
  if (!host.ok) return host;
  const path = pathText === undefined ? accept(null) : parseRoutePath(pathText);
  if (!path.ok) return path;
  const isEmpty = host.value === null && path.value === null;
  return isEmpty
    ? refuse("a route needs a host, a path or both")
    : accept({ host: host.value, path: path.value });
}

/** The same from JSON text. */
export function parseServerJson(text: string): Result<ServerFields> {
  const parsed = parseJson(text);
  return parsed.ok ? parseServerObject(parsed.value) : parsed;
}

function parseJson(text: string): Result<unknown> {
  try {
    return accept(JSON.parse(text) as unknown);
  } catch {
    // The engine's message quotes the text, which is not trusted, and differs from version to version.
    return refuse(`${quote(text)} begins like JSON but is none`);
  }
}

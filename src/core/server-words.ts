import { parseHostPort, quote } from "./address.ts";
import { parseDuration } from "./duration.ts";
import { accept, refuse, type Result } from "./result.ts";
import * as parse from "./server-fields.ts";
import { type Check, DEFAULT_CHECK, plainFields, type ServerFields, type ServerState } from "./server.ts";
import { suggest } from "./suggest.ts";

/** What may follow the address, beside `meta.KEY`. */
export const SERVER_WORDS = [
  "weight",
  "backup",
  "maxconn",
  "check",
  "interval",
  "rise",
  "fall",
  "state",
  "host",
  "path",
  "tags",
] as const;

const STATES: readonly ServerState[] = ["ready", "drain", "maint"];
const META = "meta.";
const CHECK_WORDS = ["check", "interval", "rise", "fall"];

/**
 * A server's fields from its address and the words about it, each the text of one field: `weight` → `50`,
 * `check` → `on`, `off` or a path, `meta.KEY` → any value. The caller has checked the names.
 */
export function fieldsFromWords(address: string, words: ReadonlyMap<string, string>): Result<ServerFields> {
  const place = parseHostPort(address);
  if (!place.ok) return place;
  const plain = plainFields(place.value.address, place.value.port);
  if (words.size === 0) return accept(plain);
  const pairs = [...words].filter(([name]) => name.startsWith(META));
  const meta = parse.parseMeta(pairs.map(([name, value]) => [name.slice(META.length), value]));
  if (!meta.ok) return meta;
  const reader = wordReader(words);
  const [host, path] = [reader.read("host", parse.parseRouteHost), reader.read("path", parse.parseRoutePath)];
  const fields: ServerFields = {
    address: place.value.address,
    port: place.value.port,
    weight: reader.read("weight", parse.parseWeight),
    backup: reader.read("backup", parse.parseBoolean) ?? false,
    maxconn: reader.read("maxconn", parse.parseMaxconn),
    state: reader.read("state", parseState) ?? "ready",
    check: readCheck(reader, words),
    tags: reader.read("tags", parse.parseTags) ?? plain.tags,
    meta: pairs.length === 0 ? plain.meta : meta.value,
    routes: host === null && path === null ? plain.routes : [{ host, path }],
  };
  return reader.reason === null ? accept(fields) : refuse(reader.reason);
}

/** `ready`, `drain` or `maint`. */
export function parseState(text: string): Result<ServerState> {
  const state = STATES.find((known) => known === text);
  if (state !== undefined) return accept(state);
  const meant = suggest(text, STATES);
  const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  return refuse(`${quote(text)} is none of ready, drain, maint${hint}`);
}

/** Reads one word after the other and remembers the first that is wrong. */
interface WordReader {
  readonly reason: string | null;
  read<T>(name: string, parser: (text: string) => Result<T>): T | null;
  fail(reason: string): void;
}

function wordReader(words: ReadonlyMap<string, string>): WordReader {
  let reason: string | null = null;
  const fail = (why: string): void => {
    reason ??= why;
  };
  return {
    get reason() {
      return reason;
    },
    fail,
    read: (name, parser) => {
      const text = words.get(name);
      if (text === undefined) return null;
      const parsed = parser(text);
      if (parsed.ok) return parsed.value;
      fail(`${name}: ${parsed.reason}`);
      return null;
    },
  };
}

function readCheck(reader: WordReader, words: ReadonlyMap<string, string>): Check | false {
  if (!CHECK_WORDS.some((name) => words.has(name))) return DEFAULT_CHECK;
  const wanted = reader.read("check", parseCheck);
  const check = {
    path: typeof wanted === "string" ? wanted : null,
    intervalMs: reader.read("interval", parseDuration),
    rise: reader.read("rise", parse.parseCount),
    fall: reader.read("fall", parse.parseCount),
  };
  if (wanted !== false) return check;
  const detail = CHECK_WORDS.find((name) => name !== "check" && words.has(name));
  if (detail !== undefined) reader.fail(`check=off and ${detail}= contradict each other`);
  return false;
}

function parseCheck(text: string): Result<string | boolean> {
  if (text.startsWith("/")) return parse.parseCheckPath(text);
  const parsed = parse.parseBoolean(text);
  return parsed.ok ? parsed : refuse(`${quote(text)} is neither on, off nor a path like /healthz`);
}

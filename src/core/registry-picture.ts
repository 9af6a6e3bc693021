import { quote } from "./address.ts";
import { parseOverride } from "./override.ts";
import { compareText } from "./roster.ts";
import { parseServerKey } from "./server-key.ts";
import { parseServerValue } from "./server-value.ts";
import type { Origin, Server } from "./server.ts";
import { snapshot, type Override, type Refusal, type Snapshot } from "./snapshot.ts";

/** Where things stand in the registry. All prefixes end with a slash. */
export interface RegistryLayout {
  /** Name of the source; also the suffix of a server whose name is taken. */
  readonly source: string;
  readonly prefix: string;
  readonly overridesPrefix: string;
  /** Prefixes whose keys reach the templates as they are. */
  readonly watch: readonly string[];
  readonly defaultBackend: string;
}

/** An entry as the store has it: neither its key nor its value need be text. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The store's revision of the last write to this key. */
  readonly modRevision: string;
}

/**
 * The registry's entries, each parsed once, when it was written. A snapshot costs a few array copies, so that it can
 * be made after each of ten thousand writes.
 */
export interface RegistryPicture {
  /** Number of entries, refused ones included. */
  readonly size: number;
  put(entry: RawEntry): void;
  remove(key: Uint8Array): void;
  /** Everything as it is now, sorted by key. */
  snapshot(revision: string): Snapshot;
}

/** What one entry means. The key of a server, or below a watched prefix, is a plain key for templates too. */
interface Meaning {
  readonly server?: Server;
  readonly override?: Override;
  readonly refusal?: Refusal;
  readonly plain?: { readonly key: string; readonly value: string };
}

type Parsed = Pick<Meaning, "server" | "override" | "refusal">;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
/** One character a byte: unlike UTF-8, it keeps keys different that are no text. */
const bytewise = new TextDecoder("latin1");

/** An empty picture. */
export function registryPicture(layout: RegistryLayout): RegistryPicture {
  const meanings = new Map<string, Meaning>();
  let sortedKeys: readonly string[] | null = null;
  return {
    get size() {
      return meanings.size;
    },
    put: (entry) => {
      const key = bytewise.decode(entry.key);
      if (!meanings.has(key)) sortedKeys = null;
      meanings.set(key, meaningOf(entry, layout));
    },
    remove: (keyBytes) => {
      if (meanings.delete(bytewise.decode(keyBytes))) sortedKeys = null;
    },
    snapshot: (revision) => {
      sortedKeys ??= [...meanings.keys()].toSorted(compareText);
      return collect(
        sortedKeys.map((key) => meanings.get(key)),
        { source: layout.source, revision },
      );
    },
  };
}

function collect(
  meanings: readonly (Meaning | undefined)[],
  given: { source: string; revision: string },
): Snapshot {
  const servers: Server[] = [];
  const overrides: Override[] = [];
  const quarantined: Refusal[] = [];
  const keys = new Map<string, string>();
  for (const { server, override, refusal, plain } of meanings.filter((meaning) => meaning !== undefined)) {
    if (server !== undefined) servers.push(server);
    if (override !== undefined) overrides.push(override);
    if (refusal !== undefined) quarantined.push(refusal);
    if (plain !== undefined) keys.set(plain.key, plain.value);
  }
  return snapshot({ ...given, servers, overrides, quarantined, keys });
}

function meaningOf(entry: RawEntry, layout: RegistryLayout): Meaning {
  const key = decode(entry.key);
  const value = decode(entry.value);
  const shown = key ?? lenient.decode(entry.key);
  const origin = { source: layout.source, id: printable(shown), revision: entry.modRevision };
  const refused = (reason: string): Meaning => ({ refusal: { origin, reason } });
  if (key === null) return refused(`key ${quote(shown)} is not UTF-8 text`);
  if (value === null) return refused("the value is not UTF-8 text");
  const parsed = parseEntry({ key, value, origin }, layout);
  // A template that was written for confd reads the servers' own keys; a refused one is not there for it either.
  if (parsed.server !== undefined) return { ...parsed, plain: { key, value: value.trim() } };
  const isWatched = layout.watch.some((prefix) => key.startsWith(prefix));
  return isWatched ? { ...parsed, plain: { key, value } } : parsed;
}

/** The longer prefix wins where one contains the other. */
function parseEntry(entry: { key: string; value: string; origin: Origin }, layout: RegistryLayout): Parsed {
  const { key } = entry;
  const { prefix, overridesPrefix } = layout;
  const isOverride = key.startsWith(overridesPrefix);
  const isServer = key.startsWith(prefix) && !(isOverride && overridesPrefix.length > prefix.length);
  if (isServer) return parseServer(entry, layout);
  if (!isOverride) return {};
  const override = parseOverride({ ...entry, ...layout, prefix: overridesPrefix });
  return override.ok
    ? { override: override.value }
    : { refusal: { origin: entry.origin, reason: override.reason } };
}

function parseServer(entry: { key: string; value: string; origin: Origin }, layout: RegistryLayout): Parsed {
  const { origin } = entry;
  const target = parseServerKey({ ...layout, key: entry.key });
  if (!target.ok) return { refusal: { origin, reason: target.reason } };
  const fields = parseServerValue(entry.value);
  if (!fields.ok) return { refusal: { origin, reason: fields.reason } };
  return { server: { ...target.value, ...fields.value, origin, suffix: layout.source } };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** A key as people see it: as it is, or quoted and cut when it is odd. */
const printable = (key: string): string => (/^[\x21-\x7E]{1,256}$/.test(key) ? key : quote(key));

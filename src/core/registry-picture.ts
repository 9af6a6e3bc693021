import { quote } from "./address.ts";
import { keyTable } from "./key-table.ts";
import { parseOverride } from "./override.ts";
import { parseServerKey } from "./server-key.ts";
import { parseServerValue } from "./server-value.ts";
import type { Origin, Server } from "./server.ts";
import { snapshot, type Override, type Refusal, type Snapshot } from "./snapshot.ts";
import { sortedList } from "./sorted-list.ts";

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
 * The registry's entries, each parsed once, when it was written. A snapshot costs a few array copies, and a list
 * in which nothing changed is the very same as in the one before.
 */
export interface RegistryPicture {
  /** Number of entries, refused ones included. */
  readonly size: number;
  put(entry: RawEntry): void;
  remove(key: Uint8Array): void;
  /** Everything as it is now, sorted by key. */
  snapshot(revision: string): Snapshot;
  /**
   * An empty picture, to be filled with a new list of everything. An entry that is the same as in this one is not
   * parsed again, and means the very same objects.
   */
  successor(): RegistryPicture;
}

/** What one entry means. The key of a server, or below a watched prefix, is a plain key for templates too. */
interface Meaning {
  readonly server?: Server;
  readonly override?: Override;
  readonly refusal?: Refusal;
  readonly plain?: { readonly key: string; readonly value: string };
}

type Parsed = Pick<Meaning, "server" | "override" | "refusal">;

/** A meaning, and what it was made of; null when that was no text. */
interface Entry {
  readonly revision: string;
  readonly text: string | null;
  readonly meaning: Meaning;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
/** One character a byte: unlike UTF-8, it keeps keys different that are no text. */
const bytewise = new TextDecoder("latin1");

/** An empty picture. */
export function registryPicture(layout: RegistryLayout): RegistryPicture {
  return pictureAfter(layout, null);
}

/** @param before entries of an earlier picture; let go with the first snapshot. */
function pictureAfter(layout: RegistryLayout, before: ReadonlyMap<string, Entry> | null): RegistryPicture {
  const entries = new Map<string, Entry>();
  const lists = {
    server: sortedList<Server>(),
    override: sortedList<Override>(),
    refusal: sortedList<Refusal>(),
    plain: sortedList<NonNullable<Meaning["plain"]>>(),
  };
  const change = (key: string, now: Entry | undefined): void => {
    const was = entries.get(key)?.meaning;
    const is = now?.meaning;
    if (now === undefined) entries.delete(key);
    else entries.set(key, now);
    if ((was?.server ?? is?.server) !== undefined) lists.server.set(key, is?.server);
    if ((was?.override ?? is?.override) !== undefined) lists.override.set(key, is?.override);
    if ((was?.refusal ?? is?.refusal) !== undefined) lists.refusal.set(key, is?.refusal);
    if ((was?.plain ?? is?.plain) !== undefined) lists.plain.set(key, is?.plain);
  };
  return {
    get size() {
      return entries.size;
    },
    put: (raw) => {
      const key = bytewise.decode(raw.key);
      change(key, parseRaw(raw, { layout, known: before?.get(key) }));
    },
    remove: (keyBytes) => change(bytewise.decode(keyBytes), undefined),
    snapshot: (revision) => {
      before = null;
      return snapshot({
        source: layout.source,
        revision,
        servers: lists.server.values(),
        overrides: lists.override.values(),
        quarantined: lists.refusal.values(),
        keys: keyTable(lists.plain.values()),
      });
    },
    successor: () => pictureAfter(layout, entries),
  };
}

/** Revision and text both: a store that was wiped and filled again counts its revisions from the beginning. */
function parseRaw(raw: RawEntry, given: { layout: RegistryLayout; known: Entry | undefined }): Entry {
  const { layout, known } = given;
  const [revision, text] = [raw.modRevision, decode(raw.value)];
  if (known !== undefined && known.revision === revision && known.text !== null && known.text === text) return known;
  return { revision, text, meaning: meaningOf({ ...raw, text }, layout) };
}

function meaningOf(entry: RawEntry & { text: string | null }, layout: RegistryLayout): Meaning {
  const key = decode(entry.key);
  const { text: value } = entry;
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

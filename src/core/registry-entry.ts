import { quote } from "./address.ts";
import { parseOverride } from "./override.ts";
import { parseServerKey } from "./server-key.ts";
import { MAX_VALUE_BYTES, parseServerValue } from "./server-value.ts";
import { type Origin, type Server, serverOf } from "./server.ts";
import type { Override, Refusal } from "./snapshot.ts";

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
  /** Whether it goes with a lease, by itself. */
  readonly isLeased: boolean;
}

/** What one entry means. The key of a server, or below a watched prefix, is a plain key for templates too. */
export interface RegistryEntry {
  /** Both as the store had them; the text is null when the value is none, or too long to mean anything. */
  readonly revision: string;
  readonly text: string | null;
  readonly isLeased: boolean;
  readonly server: Server | undefined;
  readonly override: Override | undefined;
  readonly refusal: Refusal | undefined;
  readonly plain: { readonly key: string; readonly value: string } | undefined;
}

type Meaning = Partial<Pick<RegistryEntry, "server" | "override" | "refusal" | "plain">>;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const bytewise = new TextDecoder("latin1");
/** Half of a character: no bytes are ever read as this. */
const NO_TEXT = "\uD800";

/** A key by which entries can be told apart: its text, or one character a byte, and a mark, where it is no text. */
export const entryKey = (bytes: Uint8Array): string => decode(bytes) ?? NO_TEXT + bytewise.decode(bytes);

/** Whether such a key is the text itself. */
export const isTextKey = (key: string): boolean => !key.startsWith(NO_TEXT);

/**
 * Reads one entry.
 * @param known what an earlier entry of this key meant; it is taken over when the two are the same. Their revisions alone
 * do not tell: a store that was wiped and filled again counts from the beginning.
 */
export function registryEntry(
  raw: RawEntry,
  given: { key: string; layout: RegistryLayout; known: RegistryEntry | undefined },
): RegistryEntry {
  const { key, layout, known } = given;
  const text = decode(raw.value);
  const { modRevision: revision, isLeased } = raw;
  const isSame = known?.revision === revision && known.isLeased === isLeased;
  if (isSame && known.text !== null && known.text === text) return known;
  const isText = isTextKey(key);
  const shown = isText ? key : lenient.decode(raw.key);
  const origin = { source: layout.source, id: printable(shown), revision };
  const reason = !isText ? `key ${quote(shown)} is not UTF-8 text` : "the value is not UTF-8 text";
  const isRead = isText && text !== null;
  const { server, override, refusal, plain } = isRead
    ? meaningOf({ key, value: text, origin }, layout)
    : { refusal: { origin, reason } };
  // What is refused for its length must not fill the memory all the same.
  const isKept = plain !== undefined || raw.value.length <= MAX_VALUE_BYTES;
  return { revision, text: isKept ? text : null, isLeased, server, override, refusal, plain };
}

interface TextEntry {
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

function meaningOf(entry: TextEntry, layout: RegistryLayout): Meaning {
  const { key, value } = entry;
  const meaning = parseEntry(entry, layout);
  // A template that was written for confd reads the servers' own keys; a refused one is not there for it either.
  // It is one line there: only JSON has others, and there they are spaces.
  if (meaning.server !== undefined)
    return { server: meaning.server, plain: { key, value: value.trim().replace(/[\r\n\t]/g, " ") } };
  const isWatched = layout.watch.some((prefix) => key.startsWith(prefix));
  return isWatched ? { ...meaning, plain: { key, value } } : meaning;
}

/** The longer prefix wins where one contains the other. */
function parseEntry(entry: TextEntry, layout: RegistryLayout): Meaning {
  const { key, origin } = entry;
  const { prefix, overridesPrefix } = layout;
  const isOverride = key.startsWith(overridesPrefix);
  const isServer = key.startsWith(prefix) && !(isOverride && overridesPrefix.length > prefix.length);
  if (isServer) return parseServer(entry, layout);
  if (!isOverride) return {};
  const override = parseOverride({ ...entry, ...layout, prefix: overridesPrefix });
  return override.ok ? { override: override.value } : { refusal: { origin, reason: override.reason } };
}

function parseServer({ key, value, origin }: TextEntry, layout: RegistryLayout): Meaning {
  const { prefix, defaultBackend, source } = layout;
  const target = parseServerKey({ key, prefix, defaultBackend });
  if (!target.ok) return { refusal: { origin, reason: target.reason } };
  const fields = parseServerValue(value);
  if (!fields.ok) return { refusal: { origin, reason: fields.reason } };
  const { backend, name } = target.value;
  return { server: serverOf(fields.value, { backend, name, origin, suffix: source }) };
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

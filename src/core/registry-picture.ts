import { keyTable } from "./key-table.ts";
import {
  entryKey,
  isTextKey,
  type RawEntry,
  registryEntry,
  type RegistryEntry,
  type RegistryLayout,
} from "./registry-entry.ts";
import type { Server } from "./server.ts";
import { snapshot, type Override, type Refusal, type Snapshot } from "./snapshot.ts";
import { sortedList } from "./sorted-list.ts";
import { type VanishedServers, vanishedServers } from "./vanished.ts";

/**
 * The registry's entries, each parsed once, when it was written. A snapshot costs a few array copies, and a list in
 * which nothing changed is the very same as in the one before.
 */
export interface RegistryPicture {
  /** Number of entries, refused ones included. */
  readonly size: number;
  /** How long the values are together that it keeps, in characters. */
  readonly textLength: number;
  put(entry: RawEntry): void;
  /** The entry was deleted; if it had a lease, that has ended, and its server vanished. */
  remove(key: Uint8Array, nowMs: number): void;
  /** Everything as it is now, sorted by key. */
  snapshot(revision: string): Snapshot;
  /** All entries whose keys and values are text, for `recallRegistry`. */
  remember(): readonly RememberedEntry[];
  /**
   * An empty picture, to be filled with a new list of everything and then completed. An entry that is the same as in
   * this one is not parsed again, and means the very same objects.
   */
  successor(): RegistryPicture;
  /**
   * One of the servers without a lease that the picture before had and the new list has not, and where it stood; null =
   * there is none.
   */
  missing(): Missing | null;
  /**
   * The list is complete. In the same store, what is missing and had no lease was deleted on purpose; in another one
   * everything that is missing vanished.
   */
  complete(given: { isSameStore: boolean; nowMs: number }): void;
}

/** `[key, value, revision, isLeased]` */
export type RememberedEntry = readonly [string, string, string, boolean];

export interface Missing {
  readonly key: string;
  readonly modRevision: string;
}

export interface PictureOptions {
  /** For how long vanished servers are remembered, in milliseconds; null or not given = they are not. */
  readonly keepVanishedMs?: number | null;
}

type Entries = ReadonlyMap<string, RegistryEntry>;

/** A picture without entries. */
export function registryPicture(
  layout: RegistryLayout,
  { keepVanishedMs = null }: PictureOptions = {},
): RegistryPicture {
  return pictureAfter(layout, { before: null, vanished: vanishedServers(keepVanishedMs) });
}

/** @param given.before entries of an earlier one, which are let go when this one is complete. */
function pictureAfter(
  layout: RegistryLayout,
  given: { before: Entries | null; vanished: VanishedServers },
): RegistryPicture {
  const { vanished } = given;
  const entries = new Map<string, RegistryEntry>();
  let known = given.before;
  let textLength = 0;
  const servers = sortedList<Server>();
  const overrides = sortedList<Override>();
  const refusals = sortedList<Refusal>();
  const plains = sortedList<NonNullable<RegistryEntry["plain"]>>();

  /** A list hears of an entry that is or was in it. */
  function change(key: string, now: RegistryEntry | undefined): void {
    const was = entries.get(key);
    if (now === undefined) entries.delete(key);
    else entries.set(key, now);
    textLength += (now?.text?.length ?? 0) - (was?.text?.length ?? 0);
    if ((was?.server ?? now?.server) !== undefined) servers.set(key, now?.server);
    if ((was?.override ?? now?.override) !== undefined) overrides.set(key, now?.override);
    if ((was?.refusal ?? now?.refusal) !== undefined) refusals.set(key, now?.refusal);
    if ((was?.plain ?? now?.plain) !== undefined) plains.set(key, now?.plain);
  }

  return {
    get size() {
      return entries.size;
    },
    get textLength() {
      return textLength;
    },
    put: (raw) => {
      const key = entryKey(raw.key);
      change(key, registryEntry(raw, { key, layout, known: known?.get(key) }));
      if (known === null) vanished.back(key);
    },
    remove: (keyBytes, nowMs) => {
      const key = entryKey(keyBytes);
      const was = entries.get(key);
      change(key, undefined);
      if (was?.isLeased === true) vanished.add(key, was, { why: "lease", sinceMs: nowMs });
    },
    snapshot: (revision) => {
      known = null;
      return snapshot({
        source: layout.source,
        revision,
        servers: servers.values(),
        overrides: overrides.values(),
        quarantined: refusals.values(),
        keys: keyTable(plains.values()),
        vanished: vanished.list(),
      });
    },
    remember: () =>
      [...entries].flatMap(([key, { text, revision, isLeased }]) =>
        text === null || !isTextKey(key) ? [] : [[key, text, revision, isLeased] as const],
      ),
    successor: () => pictureAfter(layout, { before: entries, vanished }),
    missing: () => {
      for (const [key, { server, isLeased, revision }] of known ?? [])
        if (server !== undefined && !isLeased && !entries.has(key)) return { key, modRevision: revision };
      return null;
    },
    complete: ({ isSameStore, nowMs }) => {
      for (const key of vanished.keys()) if (entries.has(key)) vanished.back(key);
      for (const [key, entry] of known ?? []) {
        if (entries.has(key) || (isSameStore && !entry.isLeased)) continue;
        vanished.add(key, entry, { why: isSameStore ? "lease" : "store", sinceMs: nowMs });
      }
      known = null;
    },
  };
}

import { keyTable } from "./key-table.ts";
import {
  entryKey,
  type RawEntry,
  registryEntry,
  type RegistryEntry,
  type RegistryLayout,
} from "./registry-entry.ts";
import type { Server } from "./server.ts";
import { snapshot, type Override, type Refusal, type Snapshot } from "./snapshot.ts";
import { sortedList } from "./sorted-list.ts";

/**
 * The registry's entries, each parsed once, when it was written. A snapshot costs a few array copies, and a list in
 * which nothing changed is the very same as in the one before.
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

type Entries = ReadonlyMap<string, RegistryEntry>;

/**
 * A picture without entries.
 * @param before entries of an earlier one, which are let go with the first snapshot.
 */
export function registryPicture(layout: RegistryLayout, before: Entries | null = null): RegistryPicture {
  const entries = new Map<string, RegistryEntry>();
  let known = before;
  const servers = sortedList<Server>();
  const overrides = sortedList<Override>();
  const refusals = sortedList<Refusal>();
  const plains = sortedList<NonNullable<RegistryEntry["plain"]>>();

  /** A list hears of an entry that is or was in it. */
  function change(key: string, now: RegistryEntry | undefined): void {
    const was = entries.get(key);
    if (now === undefined) entries.delete(key);
    else entries.set(key, now);
    if ((was?.server ?? now?.server) !== undefined) servers.set(key, now?.server);
    if ((was?.override ?? now?.override) !== undefined) overrides.set(key, now?.override);
    if ((was?.refusal ?? now?.refusal) !== undefined) refusals.set(key, now?.refusal);
    if ((was?.plain ?? now?.plain) !== undefined) plains.set(key, now?.plain);
  }

  return {
    get size() {
      return entries.size;
    },
    put: (raw) => {
      const key = entryKey(raw.key);
      change(key, registryEntry(raw, { key, layout, known: known?.get(key) }));
    },
    remove: (keyBytes) => change(entryKey(keyBytes), undefined),
    snapshot: (revision) => {
      known = null;
      return snapshot({
        source: layout.source,
        revision,
        servers: servers.values(),
        overrides: overrides.values(),
        quarantined: refusals.values(),
        keys: keyTable(plains.values()),
      });
    },
    successor: () => registryPicture(layout, entries),
  };
}

import type { RegistryEntry } from "./registry-entry.ts";
import type { Vanished } from "./snapshot.ts";

/** The servers that vanished, by the keys of their entries. */
export interface VanishedServers {
  /** Notes that an entry vanished; one that was no server, or was not to be served, is not noted. */
  add(key: string, entry: RegistryEntry, how: Pick<Vanished, "why" | "sinceMs">): void;
  /** The key is there again. */
  back(key: string): void;
  /** The keys of all that are noted. */
  keys(): Iterable<string>;
  /** Those that vanished first come first. The same array until something changes. */
  list(): readonly Vanished[];
}

const NONE: readonly Vanished[] = Object.freeze([]);

/** @param keepMs for so long they are remembered; null = none is ever noted. */
export function vanishedServers(keepMs: number | null): VanishedServers {
  const all = new Map<string, Vanished>();
  let listed: readonly Vanished[] | null = NONE;
  const forget = (key: string): void => {
    if (all.delete(key)) listed = null;
  };
  return {
    add: (key, { server, plain }, { why, sinceMs }) => {
      if (keepMs === null || server?.state !== "ready") return;
      for (const [other, { sinceMs: then }] of all) {
        if (then + keepMs > sinceMs) break;
        forget(other);
      }
      forget(key);
      all.set(key, { server, plain, why, sinceMs });
      listed = null;
    },
    back: forget,
    keys: () => all.keys(),
    list: () => (listed ??= all.size === 0 ? NONE : [...all.values()]),
  };
}

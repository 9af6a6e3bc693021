import type { RegistryCopy, StoredKey } from "../../src/core/decision.ts";
import type { KeyLayout } from "../../src/core/registry-keys.ts";
import { ABSENT, type Commit } from "../../src/core/store-write.ts";

/** etcd as far as decisions see it: keys with revisions and leases, and transactions with conditions. */
export interface ModelStore extends RegistryCopy {
  put(key: string, value: string, lease?: string): void;
  remove(key: string): void;
  /** Ends a lease with all of its keys. */
  expire(lease: string): void;
  /** @returns false = something was not as expected, and nothing was written. */
  commit(commit: Commit): boolean;
  value(key: string): string | undefined;
}

export function modelStore(layout: KeyLayout): ModelStore {
  const [servers, owners] = [new Map<string, StoredKey>(), new Map<string, StoredKey>()];
  let revision = 0;
  const place = (key: string): [Map<string, StoredKey>, string] =>
    key.startsWith(layout.ownersPrefix)
      ? [owners, key.slice(layout.ownersPrefix.length)]
      : [servers, key.slice(layout.prefix.length)];
  const stored = (key: string): StoredKey | undefined => {
    const [table, tail] = place(key);
    return table.get(tail);
  };
  const put = (key: string, value: string, lease = "0"): void => {
    const [table, tail] = place(key);
    table.set(tail, { value, modRevision: String(revision), lease });
  };
  const remove = (key: string): void => {
    const [table, tail] = place(key);
    table.delete(tail);
  };
  return {
    servers,
    owners,
    put: (...given) => {
      revision++;
      put(...given);
    },
    remove: (key) => {
      revision++;
      remove(key);
    },
    expire: (lease) => {
      revision++;
      for (const table of [servers, owners])
        for (const [tail, one] of table) if (one.lease === lease) table.delete(tail);
    },
    commit: ({ expects, writes }) => {
      if (expects.some(({ key, modRevision }) => (stored(key)?.modRevision ?? ABSENT) !== modRevision)) {
        return false;
      }
      revision++;
      for (const write of writes) {
        if (write.kind === "put") put(write.key, write.value, write.lease);
        else remove(write.key);
      }
      return true;
    },
    value: (key) => stored(key)?.value ?? undefined,
  };
}

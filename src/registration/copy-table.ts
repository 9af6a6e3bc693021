import type { StoredKey } from "../core/decision.ts";

/**
 * Keys as they were last heard of. What is heard may be older than what is known: our own writes are known before the
 * watch tells of them, and each prefix has a watch of its own.
 */
export interface CopyTable {
  readonly entries: ReadonlyMap<string, StoredKey>;
  put(tail: string, stored: StoredKey): void;
  /** @param options.expectEvent it is our own doing: until the watch tells of it, older puts may still come. */
  remove(tail: string, revision: string, options?: { expectEvent: boolean }): void;
}

export function copyTable(): CopyTable {
  const entries = new Map<string, StoredKey>();
  /** Revisions at which we deleted what the watch has not told of yet. */
  const deleted = new Map<string, bigint>();
  const isOld = (tail: string, revision: bigint): boolean => {
    const known = entries.get(tail);
    if (known !== undefined && BigInt(known.modRevision) > revision) return true;
    return (deleted.get(tail) ?? -1n) > revision;
  };
  return {
    entries,
    put: (tail, stored) => {
      if (isOld(tail, BigInt(stored.modRevision))) return;
      deleted.delete(tail);
      entries.set(tail, stored);
    },
    remove: (tail, revision, { expectEvent } = { expectEvent: false }) => {
      if (isOld(tail, BigInt(revision))) return;
      entries.delete(tail);
      if (expectEvent) deleted.set(tail, BigInt(revision));
      else deleted.delete(tail);
    },
  };
}

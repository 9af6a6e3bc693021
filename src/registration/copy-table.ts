import type { StoredKey } from "../core/decision.ts";

/**
 * Keys as they were last heard of. What is heard may be older than what is known: our own writes are known before the
 * watch tells of them, and each prefix has a watch of its own.
 */
export interface CopyTable {
  readonly entries: ReadonlyMap<string, StoredKey>;
  put(tail: string, stored: StoredKey, options?: Doing): void;
  remove(tail: string, revision: string, options?: Doing): void;
}

interface Doing {
  /**
   * It is our own doing: until the watch tells of it, older puts may still come. What the watch has told of already
   * is left aside: somebody may have deleted since what we put.
   */
  readonly expectEvent: boolean;
}

const HEARD: Doing = { expectEvent: false };

export function copyTable(): CopyTable {
  const entries = new Map<string, StoredKey>();
  /** Revisions at which we deleted what the watch has not told of yet. */
  const deleted = new Map<string, bigint>();
  /** Where the watch stands. */
  let heard = -1n;
  const isOld = (tail: string, revision: bigint, { expectEvent }: Doing): boolean => {
    if (expectEvent && revision <= heard) return true;
    if (!expectEvent && revision > heard) heard = revision;
    const known = entries.get(tail);
    if (known !== undefined && BigInt(known.modRevision) > revision) return true;
    return (deleted.get(tail) ?? -1n) > revision;
  };
  return {
    entries,
    put: (tail, stored, doing = HEARD) => {
      if (isOld(tail, BigInt(stored.modRevision), doing)) return;
      deleted.delete(tail);
      entries.set(tail, stored);
    },
    remove: (tail, revision, doing = HEARD) => {
      if (isOld(tail, BigInt(revision), doing)) return;
      entries.delete(tail);
      if (doing.expectEvent) deleted.set(tail, BigInt(revision));
      else deleted.delete(tail);
    },
  };
}

import type { Change } from "../core/decision.ts";
import type { Expectation } from "../core/store-write.ts";
import { commit } from "../etcd/commit.ts";
import type { EtcdSession } from "../etcd/session.ts";
import { isTooMany } from "../etcd/trouble.ts";

/** etcd takes 128 conditions in a transaction; a change has two, and the host's record is one more. */
const BATCH = 63;

/**
 * Writes changes, many in a transaction, each on condition that the host's name still is ours.
 * @param given.size how many in one; fewer from then on when etcd says that these are too many.
 * @returns false = something was not as expected, and the rest was not tried.
 */
export async function writeChanges(given: {
  session: EtcdSession;
  changes: readonly Change[];
  holds: Expectation;
  size: BatchSize;
  onWritten: (changes: readonly Change[], revision: string) => void;
}): Promise<boolean> {
  const { session, changes, holds, size } = given;
  for (let done = 0; done < changes.length;) {
    const batch = changes.slice(done, done + size.changes);
    let revision: string | null;
    try {
      revision = await commit(session, {
        expects: [holds, ...batch.flatMap(({ expects }) => expects)],
        writes: batch.flatMap(({ writes }) => writes),
      });
    } catch (thrown) {
      if (!isTooMany(thrown) || size.changes === 1) throw thrown;
      size.changes = Math.ceil(size.changes / 2);
      continue;
    }
    if (revision === null) return false;
    given.onWritten(batch, revision);
    done += batch.length;
  }
  return true;
}

/** Remembered by the caller: what etcd takes does not change from one time to the next. */
export interface BatchSize {
  changes: number;
}

export const batchSize = (): BatchSize => ({ changes: BATCH });

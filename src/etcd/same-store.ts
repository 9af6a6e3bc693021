import type { EtcdSession } from "./session.ts";
import { isCompacted } from "./trouble.ts";

/** A store at a moment. */
export interface StoreMoment {
  readonly clusterId: string;
  readonly revision: string;
}

const ANSWER_MS = 5000;

/**
 * Whether the store that answers now is the one that was read before. An etcd that was wiped and starts anew has the
 * same cluster id, since that is made of its settings, and its revisions may have grown beyond those of before. But
 * what stood in a store at an old revision stands there for ever: `witness`, an entry of before, is looked for at the
 * revision of before. Once that is compacted, it is taken to be the same store.
 */
export async function isSameStore(
  session: EtcdSession,
  given: {
    before: StoreMoment;
    now: StoreMoment;
    witness: { readonly key: string; readonly modRevision: string } | null;
  },
): Promise<boolean> {
  const { before, now, witness } = given;
  if (before.clusterId !== now.clusterId || BigInt(now.revision) < BigInt(before.revision)) return false;
  if (witness === null) return true;
  const request = { key: Buffer.from(witness.key), revision: before.revision };
  try {
    const { kvs } = await session.call(ANSWER_MS, (client, options) => client.range(request, options));
    return kvs[0]?.mod_revision === witness.modRevision;
  } catch (thrown) {
    if (isCompacted(thrown)) return true;
    throw thrown;
  }
}

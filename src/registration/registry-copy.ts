import type { RegistryCopy, StoredKey } from "../core/decision.ts";
import { hostKey, type KeyLayout } from "../core/registry-keys.ts";
import type { Write } from "../core/store-write.ts";
import { listPrefixes } from "../etcd/list.ts";
import type { EtcdSession } from "../etcd/session.ts";
import { type EtcdEvent, watchPrefixes } from "../etcd/watch.ts";
import { copyTable, type CopyTable } from "./copy-table.ts";
import { moves } from "./moves.ts";

/** What the store has under the servers' and the owners' prefixes, kept up to date by a watch. */
export interface LiveCopy extends RegistryCopy {
  /** The host's own record. */
  host(): StoredKey | undefined;
  /** Counts the messages of the watch. */
  readonly moves: number;
  /**
   * Resolves when the watch has told of something since `moves` was that number.
   * @throws SourceError when it does not, which means that it is broken.
   */
  moved(since: number, signal: AbortSignal): Promise<void>;
  /** Takes over what was just written at `revision`, before the watch tells of it. */
  wrote(writes: readonly Write[], revision: string): void;
  /** Follows the store; ends only by rejecting. `onEvents` gets the tails that changed, `@HOST` for hosts' records. */
  follow(onEvents: (tails: readonly string[]) => void, signal: AbortSignal): Promise<never>;
}

const MAX_KEYS = 400_000;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads everything at one revision. */
export async function registryCopy(given: {
  session: EtcdSession;
  layout: KeyLayout;
  host: string;
}): Promise<LiveCopy> {
  const { session, layout } = given;
  const prefixes = [layout.prefix, layout.ownersPrefix];
  const [servers, owners, told] = [copyTable(), copyTable(), moves()];
  const place = (key: string): { table: CopyTable; tail: string } => {
    const isOwner = key.startsWith(layout.ownersPrefix);
    return isOwner
      ? { table: owners, tail: key.slice(layout.ownersPrefix.length) }
      : { table: servers, tail: key.slice(layout.prefix.length) };
  };
  /** @returns what stands behind the prefix; null = a key that is not even text. */
  const take = ({ type, kv }: EtcdEvent): string | null => {
    const key = textOf(kv.key);
    if (key === null) return null;
    const { table, tail } = place(key);
    if (type === "Delete") table.remove(tail, kv.mod_revision);
    else table.put(tail, { value: textOf(kv.value), modRevision: kv.mod_revision, lease: kv.lease });
    return tail;
  };
  const revision = await listPrefixes({
    session,
    prefixes,
    maxKeys: MAX_KEYS,
    onEntry: (kv) => void take({ type: "Put", kv }),
  });
  const recordTail = place(hostKey(given.host, layout)).tail;
  return {
    servers: servers.entries,
    owners: owners.entries,
    host: () => owners.entries.get(recordTail),
    get moves() {
      return told.count;
    },
    moved: told.after,
    wrote: (writes, at) => {
      for (const write of writes) {
        const { table, tail } = place(write.key);
        const own = { expectEvent: true };
        if (write.kind === "delete") table.remove(tail, at, own);
        else table.put(tail, { value: write.value, modRevision: at, lease: write.lease }, own);
      }
    },
    follow: (onEvents, signal) => {
      const takeAll = (events: readonly EtcdEvent[]): void => {
        const tails = events.map(take).filter((tail) => tail !== null);
        told.tell();
        onEvents(tails);
      };
      return watchPrefixes({ session, prefixes, revision, onEvents: takeAll, signal });
    },
  };
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

import type { RawEntry, RegistryLayout } from "../core/registry-entry.ts";
import { parseRegistryMemory, recallRegistry, rememberRegistry } from "../core/registry-memory.ts";
import { registryPicture, type RegistryPicture } from "../core/registry-picture.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { dirtyFlag, type DirtyFlag } from "../lib/dirty-flag.ts";
import { SourceError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { sleep } from "../lib/sleep.ts";
import { etcdConnect } from "../etcd/client.ts";
import { folderPrefix, listPrefixes, MAX_BYTES, prefixRange, tooMuch } from "../etcd/list.ts";
import type { EtcdKeyValue } from "../etcd/messages.ts";
import { isSameStore, type StoreMoment } from "../etcd/same-store.ts";
import type { EtcdAccess } from "../etcd/access.ts";
import { openEtcd, type EtcdSession } from "../etcd/session.ts";
import { etcdTrouble } from "../etcd/trouble.ts";
import { watchPrefixes, type EtcdEvent } from "../etcd/watch.ts";
import type { Source, SourceMemory } from "./source.ts";

export interface EtcdOptions extends EtcdAccess {
  /** Folder of the servers' keys: `/app/servers/`. A missing slash at the end is added, here and below. */
  readonly prefix: string;
  readonly overridesPrefix: string;
  /** Further folders, whose keys reach the templates as they are. */
  readonly watch: readonly string[];
  readonly defaultBackend: string;
  readonly log: Logger;
  /** Time between two reads that prove that the cluster still answers and knows us; default 10 s. */
  readonly probeMs?: number;
  /** Time after which everything is read again, ±10 %; default 5 min. */
  readonly relistMs?: number;
  /** How long servers that vanished are remembered, in milliseconds; null or not given = they are not. */
  readonly keepVanishedMs?: number | null;
  /** A clock that never jumps, for them. */
  readonly monotonicMs?: () => number;
  /** More keys than this under all prefixes are refused; default 100,000. */
  readonly maxKeys?: number;
  readonly random?: () => number;
}

type Publish = (snapshot: Snapshot) => void;

const PROBE_MS = 10_000;
const PROBE_ANSWER_MS = 5000;
const RELIST_MS = 5 * 60_000;
const MAX_KEYS = 100_000;
/** Least time between two pictures: as long as the loop waits for quiet anyway. */
const FOLD_MS = 5;

/**
 * The registry in etcd. One run is one connection to one member: it reads all prefixes at one revision, publishes,
 * and watches from the next revision; a break of any kind ends it, and the next run goes to the next member. etcd's
 * own client is not used for this: its watcher can lose events without a sign (see docs/decisions).
 */
export function etcdSource(options: EtcdOptions): Source {
  const { endpoints, log, random = Math.random } = options;
  const layout = layoutOf(options);
  const connect = etcdConnect();
  let turn = Math.floor(random() * endpoints.length);
  let picture = registryPicture(layout, options);
  /** Where the picture stands; null = before the first. */
  let seen: StoreMoment | null = null;
  const memory: SourceMemory = {
    remember: (isOver) => {
      if (seen === null) return null;
      const vanished = picture.snapshot(seen.revision).vanished.filter((one) => !isOver(one));
      const [nowMs, savedAtMs] = [nowOf(options), Date.now()];
      return rememberRegistry({ picture, vanished, store: seen, nowMs, savedAtMs });
    },
    recall: (value) => {
      const remembered = parseRegistryMemory(value);
      if (remembered === null) return null;
      const { clusterId, revision } = remembered;
      seen = { clusterId, revision };
      return recallRegistry(remembered, { picture, nowMs: nowOf(options), timeOfDayMs: Date.now() });
    },
  };
  return {
    name: layout.source,
    memory,
    run: async (publish, signal) => {
      const endpoint = endpoints[turn++ % endpoints.length];
      if (endpoint === undefined) throw new SourceError("etcd: no endpoint is configured");
      try {
        using session = await openEtcd({ connect, access: options, endpoint, signal });
        log.debug({ endpoint, version: session.status.version }, "etcd answers");
        await session.login();
        while (!signal.aborted) {
          const next = picture.successor();
          const listed = await list({ session, layout, picture: next, options, seen });
          [picture, seen] = [next, listed];
          const onRevision = (revision: string): void => {
            seen = { ...listed, revision };
          };
          await follow({ session, layout, picture, options, listed, onRevision, publish, signal });
        }
      } catch (thrown) {
        if (signal.aborted) return;
        log.debug({ endpoint, err: thrown }, "etcd connection ended");
        throw new SourceError(`etcd ${endpoint}: ${etcdTrouble(thrown)}`);
      }
    },
  };
}

interface Followed {
  readonly session: EtcdSession;
  readonly layout: RegistryLayout;
  readonly picture: RegistryPicture;
  readonly options: EtcdOptions;
}

/**
 * Reads everything into the empty `picture`.
 * @param given.seen where the picture before it stood.
 * @returns where all of it stands.
 */
async function list(given: Followed & { seen: StoreMoment | null }): Promise<StoreMoment> {
  const { session, layout, picture, options, seen } = given;
  const revision = await listPrefixes({
    session,
    prefixes: prefixesOf(layout),
    maxKeys: options.maxKeys ?? MAX_KEYS,
    onEntry: (entry) => picture.put(rawEntry(entry)),
  });
  const now = { clusterId: session.status.header.cluster_id, revision };
  const witness = picture.missing();
  const isSame = seen === null || (await isSameStore(session, { before: seen, now, witness }));
  if (!isSame) options.log.warn({ before: seen, now }, "the store is not the one that was read before");
  picture.complete({ isSameStore: isSame, nowMs: nowOf(options) });
  return now;
}

/** Publishes and watches what was listed, until it is time to list again (returns) or something breaks (throws). */
async function follow(
  given: Followed & {
    listed: StoreMoment;
    onRevision: (revision: string) => void;
    publish: Publish;
    signal: AbortSignal;
  },
): Promise<void> {
  const { session, layout, picture, publish, options } = given;
  const { probeMs = PROBE_MS, relistMs = RELIST_MS, maxKeys = MAX_KEYS, random = Math.random } = options;
  let { revision } = given.listed;
  publish(picture.snapshot(revision));

  const changed = dirtyFlag();
  const scope = new AbortController();
  const signal = AbortSignal.any([given.signal, scope.signal]);
  const onEvents = (events: readonly EtcdEvent[]): void => {
    for (const { type, kv } of events) {
      if (type === "Delete") picture.remove(kv.key, nowOf(options));
      else picture.put(rawEntry(kv));
      revision = kv.mod_revision;
    }
    given.onRevision(revision);
    if (picture.size > maxKeys) throw new SourceError(`refused: more than ${maxKeys} keys`);
    if (picture.textLength > MAX_BYTES) throw tooMuch();
    changed.poke();
  };
  const parts = [
    watchPrefixes({ session, prefixes: prefixesOf(layout), revision, onEvents, signal }),
    publishChanges({ changed, signal, publish: () => publish(picture.snapshot(revision)) }),
    probe({ session, prefix: layout.prefix, everyMs: probeMs, signal }),
    sleep(relistMs * (0.9 + 0.2 * random()), signal),
  ];
  try {
    await Promise.race(parts);
  } finally {
    scope.abort();
    await Promise.allSettled(parts);
  }
}

/**
 * The first change after some quiet is published at once; those that follow wait for each other, since a picture of ten
 * thousand entries for each of a thousand writes a second would cost more than what is made of it.
 */
async function publishChanges(given: {
  changed: DirtyFlag;
  signal: AbortSignal;
  publish: () => void;
}): Promise<void> {
  const { changed, signal, publish } = given;
  while ((await changed.wait(signal)) === "poked") {
    publish();
    await sleep(FOLD_MS, signal);
  }
}

/** Proves every `everyMs` that the cluster has a leader and still knows us; a login that went stale is renewed. */
async function probe(given: {
  session: EtcdSession;
  prefix: string;
  everyMs: number;
  signal: AbortSignal;
}): Promise<void> {
  const { session, signal } = given;
  const range = { ...prefixRange(given.prefix), count_only: true };
  for (;;) {
    await sleep(given.everyMs, signal);
    if (signal.aborted) return;
    await session.call(PROBE_ANSWER_MS, (client, options) => client.range(range, { ...options, signal }));
  }
}

const nowOf = ({ monotonicMs = () => performance.now() }: EtcdOptions): number => monotonicMs();

const rawEntry = (kv: EtcdKeyValue): RawEntry => ({
  key: kv.key,
  value: kv.value,
  modRevision: kv.mod_revision,
  isLeased: kv.lease !== "0",
});

/** All that is followed, without those prefixes that lie inside of another one. */
function prefixesOf(layout: RegistryLayout): readonly string[] {
  const different = [...new Set([layout.prefix, layout.overridesPrefix, ...layout.watch])];
  return different.filter((one) => !different.some((other) => other !== one && one.startsWith(other)));
}

function layoutOf(options: EtcdOptions): RegistryLayout {
  return {
    source: "etcd",
    prefix: folderPrefix(options.prefix),
    overridesPrefix: folderPrefix(options.overridesPrefix),
    watch: options.watch.map(folderPrefix),
    defaultBackend: options.defaultBackend,
  };
}

import type { KeyLayout } from "../core/registry-keys.ts";
import type { StoreEntry } from "../core/registry-view.ts";
import type { Commit } from "../core/store-write.ts";
import { etcdConnect } from "../etcd/client.ts";
import { commit } from "../etcd/commit.ts";
import { namingDenied } from "../etcd/denied-key.ts";
import { listPrefixes } from "../etcd/list.ts";
import type { EtcdAccess } from "../etcd/access.ts";
import { type EtcdSession, openEtcd } from "../etcd/session.ts";
import { etcdTrouble } from "../etcd/trouble.ts";
import { messageOf, SourceError } from "../lib/errors.ts";

/** The keys in etcd, for one who reads all of them and writes few. All errors are SourceErrors that say what to do. */
export interface Store extends Disposable {
  /** All keys under all prefixes at one revision. */
  read(): Promise<{ readonly entries: readonly StoreEntry[]; readonly revision: string }>;
  /** @returns the revision of the writes; null = something was not as expected, and nothing was written. */
  commit(change: Commit): Promise<string | null>;
}

export interface StoreOptions {
  readonly access: EtcdAccess;
  readonly layout: KeyLayout;
  readonly signal: AbortSignal;
}

const MAX_KEYS = 100_000;
const LOOK = '"rollcall ls" shows whether it was written all the same';
/** What to do about what etcd says, by its words in `etcdTrouble`. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/user name or password refused/, "look at etcd-username and at the file etcd-password-file"],
  [/wants a user name/, "set etcd-username and etcd-password-file"],
  [/refused$|no answer|unreachable|cannot be resolved/, "start it, or set etcd-endpoints to where it is"],
];

/** Connects to whichever member answers first: one that is silent would cost seconds. */
export async function openStore({ access, layout, signal }: StoreOptions): Promise<Store> {
  const { endpoint, session } = await firstToAnswer(access, signal);
  const failure = (thrown: unknown, who = ""): SourceError =>
    new SourceError(`etcd ${endpoint}${who}: ${withAdvice(etcdTrouble(thrown))}`);
  const user = access.username === undefined ? "" : `, user ${access.username}`;
  try {
    await session.login();
  } catch (thrown) {
    session[Symbol.dispose]();
    throw failure(thrown, user);
  }
  return {
    read: () =>
      readAll(session, layout).catch((thrown: unknown) => {
        throw failure(thrown, user);
      }),
    commit: (change) =>
      namingDenied(session, { reads: [], writes: foldersOf(change, layout) }, () =>
        commit(session, change),
      ).catch((thrown: unknown) => {
        throw isUnsure(thrown) ? new SourceError(`${failure(thrown).message}; ${LOOK}`) : failure(thrown);
      }),
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}

async function firstToAnswer(
  access: EtcdAccess,
  signal: AbortSignal,
): Promise<{ endpoint: string; session: EtcdSession }> {
  const connect = etcdConnect();
  const found = new AbortController();
  const open = async (endpoint: string) => {
    const session = await openEtcd({ connect, access, endpoint, signal });
    if (found.signal.aborted || session.status.leader === "0") {
      session[Symbol.dispose]();
      throw new SourceError("no leader: the cluster has lost its majority");
    }
    found.abort();
    return { endpoint, session };
  };
  try {
    return await Promise.any(access.endpoints.map(open));
  } catch (thrown) {
    const { errors } = thrown as AggregateError;
    const said = access.endpoints.map((endpoint, at) => `${endpoint}: ${messageOf(errors[at])}`);
    throw new SourceError(`etcd ${withAdvice(said.join("; "))}`);
  }
}

async function readAll(
  session: EtcdSession,
  { prefix, overridesPrefix, ownersPrefix }: KeyLayout,
): Promise<{ entries: readonly StoreEntry[]; revision: string }> {
  const all = [...new Set([prefix, overridesPrefix, ownersPrefix])];
  // One that lies inside of another is read with it.
  const prefixes = all.filter((one) => !all.some((other) => other !== one && one.startsWith(other)));
  const entries: StoreEntry[] = [];
  const revision = await listPrefixes({
    session,
    prefixes,
    maxKeys: MAX_KEYS,
    onEntry: ({ key, value, mod_revision: modRevision, lease }) =>
      void entries.push({ key, value, modRevision, lease }),
  });
  return { entries, revision };
}

/** Roles are granted whole folders. */
function foldersOf({ writes }: Commit, { prefix, overridesPrefix }: KeyLayout): readonly string[] {
  const longestFirst = [prefix, overridesPrefix].toSorted((a, b) => b.length - a.length);
  return [...new Set(writes.map(({ key }) => longestFirst.find((folder) => key.startsWith(folder)) ?? key))];
}

/** A refusal is an answer; without one nobody knows. */
const isUnsure = (thrown: unknown): boolean => /no answer|connection lost/.test(etcdTrouble(thrown));

function withAdvice(trouble: string): string {
  const advice = ADVICE.find(([pattern]) => pattern.test(trouble))?.[1];
  return advice === undefined ? trouble : `${trouble}; ${advice}`;
}

import { SourceError } from "../lib/errors.ts";
import { prefixRange } from "./list.ts";
import type { EtcdSession } from "./session.ts";
import { isDenied } from "./trouble.ts";

/** What is asked of etcd. A key that ends with a slash stands for all keys below it. */
export interface WantedKeys {
  readonly reads: readonly string[];
  /** Who writes also reads: each write is on condition of what is there. */
  readonly writes: readonly string[];
}

const ASK_MS = 5000;
/** No key was ever written at this revision. */
const NEVER = "-1";

/**
 * Makes `use` and, when etcd denies it something, finds out what: etcd itself names no key.
 * @throws SourceError that names user, key and mend; whatever else `use` throws.
 */
export async function namingDenied<T>(
  session: EtcdSession,
  wanted: WantedKeys,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (thrown) {
    if (!isDenied(thrown)) throw thrown;
    const denied = await deniedKeys(session, wanted);
    if (denied.length === 0) throw thrown;
    throw new SourceError(denied.join("; "));
  }
}

/** A line for each of the wanted keys that etcd denies us, by asking for each of them alone. Nothing is written. */
export async function deniedKeys(session: EtcdSession, wanted: WantedKeys): Promise<readonly string[]> {
  const { user } = session;
  const who = user === null ? "without a user name we" : `user ${user}`;
  const denied: string[] = [];
  const ask = async (verb: "read" | "write", key: string): Promise<void> => {
    if (await (verb === "read" ? mayRead : mayWrite)(session, key)) return;
    const whole = key.endsWith("/") ? "--prefix=true " : "";
    const right = verb === "read" ? "read" : "readwrite";
    denied.push(`${who} may not ${verb} ${key} (etcdctl role grant-permission ROLE ${whole}${right} ${key})`);
  };
  for (const key of wanted.reads) if (!wanted.writes.includes(key)) await ask("read", key);
  for (const key of wanted.writes) await ask("write", key);
  return denied;
}

async function mayRead(session: EtcdSession, key: string): Promise<boolean> {
  const range = key.endsWith("/") ? prefixRange(key) : { key: Buffer.from(key) };
  return isGranted(
    session.call(ASK_MS, (client, options) => client.range({ ...range, count_only: true }, options)),
  );
}

/**
 * By a transaction whose condition never holds: etcd looks at the permissions first, those of both of its branches
 * (measured on 3.4 and 3.5). It would delete, since a full etcd takes no transaction that could put something; and of a
 * folder only the key that is called as the folder itself, which is no server.
 */
async function mayWrite(session: EtcdSession, name: string): Promise<boolean> {
  const key = Buffer.from(name);
  const condition = { key, target: "Mod", result: "Equal", mod_revision: NEVER } as const;
  const request = { compare: [condition], success: [{ request_delete_range: { key } }] };
  return isGranted(session.call(ASK_MS, (client, options) => client.txn(request, options)));
}

async function isGranted(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (thrown) {
    if (isDenied(thrown)) return false;
    throw thrown;
  }
}

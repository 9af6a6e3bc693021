import type { EtcdAccess } from "./access.ts";
import { SourceError } from "../lib/errors.ts";
import type { EtcdCallOptions } from "./channel.ts";
import type { EtcdClient, EtcdConnect } from "./client.ts";
import type { EtcdStatus } from "./messages.ts";
import { readSecret, readTarget } from "./target.ts";
import { etcdTrouble, isAuthOff, isStaleLogin } from "./trouble.ts";

/** A connection to one member that has answered. */
export interface EtcdSession extends Disposable {
  readonly client: EtcdClient;
  readonly status: EtcdStatus;
  /** Who logs in; null = nobody does. */
  readonly user: string | null;
  /** What every call needs. */
  options(timeoutMs: number): EtcdCallOptions;
  /** Gets a token for the calls to come, if there is a user at all; call it first. */
  login(): Promise<void>;
  /**
   * Makes one call with `options(timeoutMs)`; when etcd no longer knows our token, logs in anew and makes it once more.
   * A call that was refused so has done nothing. Calls that are refused at the same time share one login: each costs
   * etcd some 50 ms of its processor.
   */
  call<T>(
    timeoutMs: number,
    attempt: (client: EtcdClient, options: EtcdCallOptions) => Promise<T>,
  ): Promise<T>;
}

/** The first answer tells whether the member lives; nothing else bounds the wait for a silent host. */
const FIRST_ANSWER_MS = 3000;
const LOGIN_MS = 5000;

/** @throws SourceError without the endpoint in it. */
export async function openEtcd(given: {
  connect: EtcdConnect;
  access: EtcdAccess;
  endpoint: string;
  signal: AbortSignal;
}): Promise<EtcdSession> {
  const { access, signal } = given;
  const client = connectTo(await readTarget(given.endpoint, access), given.connect);
  const user = access.username ?? null;
  let token: string | undefined;
  const options = (timeoutMs: number): EtcdCallOptions => ({ signal, timeoutMs, token });
  let pending: Promise<void> | null = null;
  const renew = async (): Promise<void> => {
    token = await newToken({ client, access, options: { signal, timeoutMs: LOGIN_MS } });
  };
  const login = (): Promise<void> => {
    pending ??= renew().finally(() => (pending = null));
    return pending;
  };
  const call: EtcdSession["call"] = async (timeoutMs, attempt) => {
    const used = options(timeoutMs);
    try {
      return await attempt(client, used);
    } catch (thrown) {
      if (user === null || !isStaleLogin(thrown)) throw thrown;
      if (token === used.token) await login();
      return await attempt(client, options(timeoutMs));
    }
  };
  try {
    const status = await client.status(options(FIRST_ANSWER_MS));
    return { client, status, user, options, login, call, [Symbol.dispose]: () => client.close() };
  } catch (thrown) {
    client.close();
    throw thrown instanceof SourceError ? thrown : new SourceError(etcdTrouble(thrown));
  }
}

function connectTo(where: Parameters<EtcdConnect>[0], connect: EtcdConnect): EtcdClient {
  try {
    return connect(where);
  } catch (cause) {
    throw new SourceError("the certificate and its key cannot be used", { cause });
  }
}

async function newToken(given: {
  client: EtcdClient;
  access: EtcdAccess;
  options: EtcdCallOptions;
}): Promise<string | undefined> {
  const { username, passwordFile } = given.access;
  if (username === undefined) return undefined;
  if (passwordFile === undefined) throw new SourceError(`user ${username} has no password file`);
  const password = (await readSecret("password", passwordFile)).toString("utf8").replace(/\r?\n$/, "");
  try {
    return (await given.client.authenticate({ name: username, password }, given.options)).token;
  } catch (thrown) {
    // As etcd's own client does: users may be configured before authentication is switched on.
    if (isAuthOff(thrown)) return undefined;
    throw thrown;
  }
}

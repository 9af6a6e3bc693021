import { etcdConnect } from "../etcd/client.ts";
import { namingDenied } from "../etcd/denied-key.ts";
import { type EtcdSession, openEtcd } from "../etcd/session.ts";
import { etcdTrouble } from "../etcd/trouble.ts";
import { backoff } from "../lib/backoff.ts";
import { sleep } from "../lib/sleep.ts";
import type { RegistrarMemory } from "./registrar-memory.ts";

/** A connection to one member of etcd, logged in. */
export interface Connection {
  readonly session: EtcdSession;
  /** Aborts when nothing may be done any more. */
  readonly ended: AbortSignal;
  /** To be called whenever all is as it should be. */
  readonly onGood: () => void;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 3000;
/** With the pause's spread a quarter of a lease's time: each new connection refreshes the lease first of all. */
const PAUSES_IN_A_LEASE = 6;
const ENDING_RETRY_MS = 200;
/** What withdrawing may take in all, in milliseconds: the process is given a few seconds. */
const ENDING_MS = 4000;

/**
 * Connects to one member of etcd after the other and lets `use` work there, until `signal` aborts and what is to be
 * done then is done, or has taken too long. The log gets one line when a connection breaks and one when it is back.
 */
export async function keepConnected(given: {
  memory: RegistrarMemory;
  use: (connection: Connection) => Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  const { memory, signal } = given;
  const { log, access, layout } = memory.options;
  const maxMs = Math.min(LONGEST_RETRY_MS, (memory.options.leaseTtlS * 1000) / PAUSES_IN_A_LEASE);
  const retry = backoff({ firstMs: FIRST_RETRY_MS, maxMs });
  const ended = endOf(memory, signal);
  const connect = etcdConnect();
  let turn = Math.floor(Math.random() * access.endpoints.length);
  let told: string | null = null;
  while (!ended.aborted && !(memory.isEnding && memory.hasNothingToWithdraw())) {
    const endpoint = access.endpoints[turn++ % access.endpoints.length] ?? "";
    const onGood = (): void => {
      if (told !== null) log.info({ endpoint }, "registering again");
      told = null;
      retry.reset();
      memory.tell({ endpoint });
    };
    try {
      using session = await openEtcd({ connect, access, endpoint, signal: ended });
      await session.login();
      await namingDenied(session, { reads: [], writes: [layout.prefix, layout.ownersPrefix] }, () =>
        given.use({ session, ended, onGood }),
      );
    } catch (thrown) {
      if (ended.aborted) return;
      const why = `etcd ${endpoint}: ${etcdTrouble(thrown)}`;
      memory.count("breaks");
      memory.tell({ state: "disconnected", why, endpoint: null });
      if (why !== told) {
        log.warn({ reason: why }, "not registering, what is registered stands while its lease does");
        log.debug({ err: thrown }, "etcd connection ended");
      }
      told = why;
      if (memory.isEnding) await sleep(ENDING_RETRY_MS, ended);
      else await sleep(retry.next(), signal);
    }
  }
}

/** Aborts when ending has taken too long; that it has begun, the memory knows at once. */
function endOf(memory: RegistrarMemory, signal: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const begin = (): void => {
    memory.isEnding = true;
    memory.changed.poke();
    setTimeout(() => ended.abort(), ENDING_MS).unref();
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return ended.signal;
}

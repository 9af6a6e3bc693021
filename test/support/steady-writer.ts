import { setTimeout as sleep } from "node:timers/promises";
import { etcdConnect } from "../../src/etcd/client.ts";
import { commit } from "../../src/etcd/commit.ts";
import type { EtcdAccess } from "../../src/etcd/access.ts";
import { type EtcdSession, openEtcd } from "../../src/etcd/session.ts";

/**
 * Writes the numbers from 1 on into one key, each on condition of the one before, and a server for each of them. Now and
 * then it leaves in the middle of a write, and makes the same write again over the next connection, whatever became of it.
 */
export interface SteadyWriter extends AsyncDisposable {
  /** The last number that etcd has confirmed. */
  readonly acknowledged: number;
  /** Connections that broke, or could not be made. */
  readonly breaks: number;
  /** Writes that a break left without an answer, and that had been made all the same. */
  readonly unanswered: number;
  /** Ends after a confirmed write; rejects when somebody else has written, or a confirmed write is gone. */
  stop(): Promise<void>;
}

export const COUNTER = "/app/counter";
const CALL_MS = 3000;
const PAUSE_MS = 50;
/** Every so many writes, the connection is left while one is under way: it may be made or not. */
const CUT_EVERY = 20;
const CUT_MS = 2;

export function startSteadyWriter(access: EtcdAccess): SteadyWriter {
  const stopping = new AbortController();
  const state = { acknowledged: 0, breaks: 0, unanswered: 0 };
  let revision = "0";
  const wrong: Error[] = [];

  const write = async (session: EtcdSession): Promise<void> => {
    const next = state.acknowledged + 1;
    const written = await commit(session, {
      expects: [{ key: COUNTER, modRevision: revision }],
      writes: [
        { kind: "put", key: COUNTER, value: String(next), lease: "0" },
        { kind: "put", key: `/app/servers/web${next}`, value: "10.0.0.1:80", lease: "0" },
      ],
    });
    revision = written ?? (await revisionOf(next, session));
    state.acknowledged = next;
    if (written === null) state.unanswered++;
  };
  /** It was not as expected: an earlier attempt, without an answer, has written `number`. */
  const revisionOf = async (number: number, session: EtcdSession): Promise<string> => {
    const key = Buffer.from(COUNTER);
    const { kvs } = await session.call(CALL_MS, (client, options) => client.range({ key }, options));
    const [found] = kvs;
    if (found?.value.toString() === String(number)) return found.mod_revision;
    const failure = new Error(`${number - 1} was confirmed, ${found?.value.toString()} is there`);
    wrong.push(failure);
    throw failure;
  };
  const run = async (): Promise<void> => {
    const connect = etcdConnect();
    let isDone = false;
    for (let turn = 0; !isDone && wrong.length === 0; turn++) {
      const cut = new AbortController();
      const endpoint = access.endpoints[turn % access.endpoints.length] ?? "";
      try {
        using session = await openEtcd({ connect, access, endpoint, signal: cut.signal });
        await session.login();
        let count = 0;
        do {
          const writing = write(session);
          if (++count % CUT_EVERY === 0) setTimeout(() => cut.abort(), CUT_MS);
          await writing;
        } while (!stopping.signal.aborted);
        isDone = true;
      } catch {
        state.breaks++;
        await sleep(PAUSE_MS);
      }
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
    for (const failure of wrong) throw failure;
  };
  return Object.assign(state, { stop, [Symbol.asyncDispose]: stop });
}

import { setTimeout as sleep } from "node:timers/promises";
import type { EtcdCalls } from "../test/support/etcd-calls.ts";
import { type Change, writeChange } from "../test/support/wanted-roster.ts";

/** Writes an operator's keys, whatever becomes of etcd's members meanwhile, and knows what it has written. */
export interface Operator {
  /** Resolves when etcd has it. */
  make(change: Change): Promise<void>;
  /** Writes one key; null deletes it. What is only passing is not written again by `restore`. */
  write(key: string, value: string | null, how?: { passing: boolean }): Promise<void>;
  /** Writes everything again, into a store that has lost it. */
  restore(): Promise<void>;
  /** Throws away etcd's history up to now. */
  compact(): Promise<void>;
}

/** Every write is one on condition of this key and changes it. */
const TURN = "/soak/turn";
const GIVE_UP_MS = 120_000;
const CALL_MS = 3000;

/**
 * A request to a member that is stopped may be carried out when it goes on, long after it was given up and made
 * elsewhere, and after the next write to the same key. So no write is made but after the one that was seen last.
 */
export function operator(up: () => readonly string[]): Operator {
  const contents = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();
  let turns = 0;

  const tryOnce = async (url: string, key: string, value: string | null): Promise<boolean> => {
    const { kvs } = (await post(`${url}/v3/kv/range`, { key: encode(TURN) })) as Range;
    const compare = [
      { key: encode(TURN), target: "MOD", result: "EQUAL", mod_revision: kvs?.[0]?.mod_revision ?? "0" },
    ];
    const write =
      value === null
        ? { request_delete_range: { key: encode(key) } }
        : { request_put: { key: encode(key), value: encode(value) } };
    const turn = { request_put: { key: encode(TURN), value: encode(String(++turns)) } };
    const done = (await post(`${url}/v3/kv/txn`, { compare, success: [turn, write] })) as {
      succeeded?: boolean;
    };
    return done.succeeded === true;
  };
  const untilDone = async (what: string, attempt: (url: string) => Promise<boolean>): Promise<void> => {
    const startedAt = performance.now();
    let why: unknown = "no member is up";
    for (let count = 0; performance.now() - startedAt < GIVE_UP_MS; count++) {
      const urls = up();
      const url = urls[count % urls.length];
      const done = url !== undefined && (await attempt(url).catch((error: unknown) => void (why = error)));
      if (done === true) return;
      await sleep(50);
    }
    throw new Error(`${what} could not be written`, { cause: why });
  };
  /** One after the other. */
  const inTurn = (action: () => Promise<void>): Promise<void> => {
    const done = last.then(action);
    last = done.catch(() => undefined);
    return done;
  };
  const write: Operator["write"] = (key, value, { passing } = { passing: false }) =>
    inTurn(async () => {
      await untilDone(key, (url) => tryOnce(url, key, value));
      if (value === null) contents.delete(key);
      else if (!passing) contents.set(key, value);
    });
  const calls: Pick<EtcdCalls, "put" | "del"> = {
    put: async (key, value) => {
      await write(key, value);
      return 0;
    },
    del: (key) => write(key, null),
  };

  return {
    make: (change) => writeChange(calls as EtcdCalls, change),
    write,
    restore: async () => {
      for (const [key, value] of [...contents]) await write(key, value);
    },
    compact: () =>
      inTurn(() =>
        untilDone("a compaction", async (url) => {
          const { header } = (await post(`${url}/v3/kv/range`, { key: encode(TURN) })) as Range;
          const body = { revision: header.revision, physical: true };
          return post(`${url}/v3/kv/compaction`, body).then(
            () => true,
            (error: unknown) => String(error).includes("has been compacted"),
          );
        }),
      ),
  };
}

interface Range {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly mod_revision: string }[];
}

const encode = (text: string): string => Buffer.from(text).toString("base64");

async function post(address: string, body: object): Promise<unknown> {
  const signal = AbortSignal.timeout(CALL_MS);
  const answer = await fetch(address, { method: "POST", body: JSON.stringify(body), signal });
  if (!answer.ok) throw new Error(`${new URL(address).pathname}: ${await answer.text()}`);
  return answer.json();
}

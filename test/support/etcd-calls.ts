/** Calls of etcd's JSON gateway, for tests that change and read keys. Values are text. */
export interface EtcdCalls {
  /** Writes a key and resolves with the revision of that write. */
  put(key: string, value: string): Promise<number>;
  get(key: string): Promise<string | undefined>;
  /** All keys that begin with `prefix`. */
  list(prefix: string): Promise<Record<string, string>>;
  del(key: string): Promise<void>;
  /** The revision of the whole store. */
  revision(): Promise<number>;
  /** Values of a key in the order of their writes, from a revision on up to now; null = it was deleted. */
  history(key: string, fromRevision: number): Promise<(string | null)[]>;
  /** Throws away the history up to the present revision. */
  compact(): Promise<void>;
}

interface RangeAnswer {
  header: { revision: string };
  kvs?: { key: string; value?: string }[];
}

/** @param url Address of a member, such as "http://127.0.0.1:2379". */
export function etcdCalls(url: string): EtcdCalls {
  const call = (path: string, body: object): Promise<RangeAnswer> => post(`${url}/v3/kv/${path}`, body);
  return {
    async put(key, value) {
      return Number((await call("put", { key: encode(key), value: encode(value) })).header.revision);
    },
    async get(key) {
      const found = (await call("range", { key: encode(key) })).kvs?.[0];
      return found === undefined ? undefined : decode(found.value ?? "");
    },
    async list(prefix) {
      const { kvs = [] } = await call("range", { key: encode(prefix), range_end: encodeEnd(prefix) });
      return Object.fromEntries(kvs.map((kv) => [decode(kv.key), decode(kv.value ?? "")]));
    },
    async del(key) {
      await call("deleterange", { key: encode(key) });
    },
    async revision() {
      return Number((await call("range", { key: encode("\0"), count_only: true })).header.revision);
    },
    async history(key, fromRevision) {
      const values: (string | null)[] = [];
      for (let revision = fromRevision; revision <= (await this.revision()); revision++) {
        const { kvs = [] } = await call("range", { key: encode(key), revision: String(revision) });
        const value = kvs[0] === undefined ? null : decode(kvs[0].value ?? "");
        if (values.at(-1) !== value || values.length === 0) values.push(value);
      }
      return values;
    },
    async compact() {
      await call("compaction", { revision: String(await this.revision()), physical: true });
    },
  };
}

async function post(url: string, body: object): Promise<RangeAnswer> {
  const answer = await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`etcd: ${new URL(url).pathname}: ${await answer.text()}`);
  return (await answer.json()) as RangeAnswer;
}

const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

// The end of the range of all keys with a prefix is the prefix with its last byte increased.
function encodeEnd(prefix: string): string {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end.toString("base64");
}

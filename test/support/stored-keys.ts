/** A key of etcd with what etcd knows of it. */
export interface StoredKey {
  readonly value: string;
  /** Revision of its last change. */
  readonly modRevision: string;
  /** "0" = on no lease. */
  readonly lease: string;
}

interface RangeAnswer {
  readonly kvs?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly mod_revision: string;
    readonly lease?: string;
  }[];
}

/** All keys below a prefix, as they were at one moment. */
export async function storedKeys(
  etcd: { readonly endpoint: string },
  prefix: string,
): Promise<ReadonlyMap<string, StoredKey>> {
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  // "0" is the character behind "/".
  const body = JSON.stringify({ key: encode(prefix), range_end: encode(prefix.replace(/\/$/, "0")) });
  const answer = await fetch(`http://${etcd.endpoint}/v3/kv/range`, { method: "POST", body });
  if (!answer.ok) throw new Error(`etcd: range: ${await answer.text()}`);
  const { kvs = [] } = (await answer.json()) as RangeAnswer;
  const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");
  return new Map(
    kvs.map(({ key, value = "", mod_revision: modRevision, lease = "0" }) => [
      decode(key),
      { value: decode(value), modRevision, lease },
    ]),
  );
}

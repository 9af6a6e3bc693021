const KEYS_PER_CALL = 100;

/** Writes many keys, a hundred in one transaction; etcd takes 128 operations at most, and 1.5 MiB. */
export async function putMany(
  server: { readonly endpoint: string },
  entries: Iterable<readonly [key: string, value: string]>,
): Promise<void> {
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  const operations = Array.from(entries, ([key, value]) => ({
    request_put: { key: encode(key), value: encode(value) },
  }));
  const calls: (typeof operations)[] = [];
  while (operations.length > 0) calls.push(operations.splice(0, keysPerCall(operations)));
  for (const success of calls) {
    const body = JSON.stringify({ success });
    const answer = await fetch(`http://${server.endpoint}/v3/kv/txn`, { method: "POST", body });
    if (!answer.ok) throw new Error(`etcd: txn: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

/** Fewer where values are large. */
function keysPerCall(operations: readonly { request_put: { value: string } }[]): number {
  const largest = Math.max(
    ...operations.slice(0, KEYS_PER_CALL).map(({ request_put }) => request_put.value.length),
  );
  return Math.max(1, Math.min(KEYS_PER_CALL, Math.floor(1_000_000 / (largest + 200))));
}

/** How many messages etcd has received since its start, by method of its API: `Lease/LeaseKeepAlive`. */
export async function etcdRequests(etcd: {
  readonly endpoint: string;
}): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${etcd.endpoint}/metrics`)).text();
  const rows = text.matchAll(
    /^grpc_server_msg_received_total\{grpc_method="(\w+)",grpc_service="etcdserverpb\.(\w+)"[^}]*\} (\S+)$/gm,
  );
  return new Map(
    Array.from(rows, ([, method, service, count]) => [`${service}/${method}`, Number(count)] as const),
  );
}

/** What came between two readings, without what did not. */
export function requestsBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const more = Array.from(after, ([method, count]) => [method, count - (before.get(method) ?? 0)] as const);
  return new Map(more.filter(([, count]) => count > 0));
}

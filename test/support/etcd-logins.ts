import type { EtcdServer } from "./etcd-server.ts";

/** How many logins the server has granted since it was started. */
export async function etcdLogins(etcd: Pick<EtcdServer, "endpoint">): Promise<number> {
  const answer = await fetch(`http://${etcd.endpoint}/metrics`);
  const granted = /^grpc_server_handled_total\{grpc_code="OK",grpc_method="Authenticate".*\} (\d+)$/m;
  const [, count] = granted.exec(await answer.text()) ?? [];
  if (count === undefined) throw new Error("etcd's metrics tell of no logins");
  return Number(count);
}

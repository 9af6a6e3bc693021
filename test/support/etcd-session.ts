import { etcdConnect } from "../../src/etcd/client.ts";
import type { EtcdAccess } from "../../src/etcd/access.ts";
import { openEtcd, type EtcdSession } from "../../src/etcd/session.ts";

/** A session with the first of the endpoints, logged in. */
export async function openSession(
  access: EtcdAccess,
  signal: AbortSignal = new AbortController().signal,
): Promise<EtcdSession> {
  const [endpoint = ""] = access.endpoints;
  const session = await openEtcd({ connect: etcdConnect(), access, endpoint, signal });
  await session.login();
  return session;
}

import { etcdConnect, type EtcdConnect } from "../etcd/client.ts";
import { folderPrefix, prefixRange } from "../etcd/list.ts";
import type { EtcdAccess } from "../etcd/access.ts";
import { openEtcd } from "../etcd/session.ts";
import { etcdTrouble, isDenied } from "../etcd/trouble.ts";

/** What one member of the cluster answered. */
export interface EtcdReport {
  readonly endpoint: string;
  /** It answered, whatever it said. */
  readonly reachable: boolean;
  /** etcd's version; null when it did not answer. */
  readonly version: string | null;
  /** The member knows a leader: the cluster has its majority. */
  readonly hasLeader: boolean;
  /** We may log in, or need not. */
  readonly loggedIn: boolean;
  /** Number of keys under the prefix; null when they could not be counted. */
  readonly keys: number | null;
  /** What is wrong, in words; null = nothing. */
  readonly problem: string | null;
}

const COUNT_MS = 5000;

const SILENT = { reachable: false, version: null, hasLeader: false, loggedIn: false, keys: null };

/** Asks every endpoint by itself, all at the same time, for a doctor's report. Never rejects; takes 13 s at most. */
export async function checkEtcd(
  access: EtcdAccess & { readonly prefix: string },
  signal: AbortSignal,
): Promise<readonly EtcdReport[]> {
  const connect = etcdConnect();
  return Promise.all(access.endpoints.map((endpoint) => checkMember({ connect, access, endpoint, signal })));
}

async function checkMember(given: {
  connect: EtcdConnect;
  access: EtcdAccess & { readonly prefix: string };
  endpoint: string;
  signal: AbortSignal;
}): Promise<EtcdReport> {
  const { access, endpoint } = given;
  let report: Omit<EtcdReport, "endpoint" | "problem"> = SILENT;
  try {
    using session = await openEtcd(given);
    const { version, leader } = session.status;
    report = { ...report, reachable: true, version, hasLeader: leader !== "0" };
    await session.login();
    const range = { ...prefixRange(folderPrefix(access.prefix)), count_only: true };
    const { count } = await session.client.range(range, session.options(COUNT_MS));
    return { endpoint, ...report, loggedIn: true, keys: Number(count), problem: null };
  } catch (thrown) {
    const loggedIn = report.hasLeader && isDenied(thrown);
    const where = loggedIn ? ` for ${access.prefix} (the user's role needs READ)` : "";
    return { endpoint, ...report, loggedIn, problem: `${etcdTrouble(thrown)}${where}` };
  }
}

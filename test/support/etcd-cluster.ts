import { launchMember, untilHealthy, type EtcdOptions, type EtcdServer } from "./etcd-server.ts";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdServer[];
  /** "127.0.0.1:2379", one for each member. */
  readonly endpoints: readonly string[];
  /** The member that leads at this moment. */
  leader(): Promise<EtcdServer>;
}

/**
 * Starts a cluster of real etcd processes on 127.0.0.1 and waits until each of its members answers.
 * @param options.flagsOf more flags for the member with that number and port.
 */
export async function startEtcdCluster(
  size = 3,
  options: Pick<EtcdOptions, "version" | "flags"> & {
    flagsOf?: (index: number, port: number) => readonly string[];
  } = {},
): Promise<EtcdCluster> {
  const dir = await tempDir();
  const plan: { name: string; port: number; peerPort: number }[] = [];
  for (let n = 0; n < size; n++) {
    plan.push({ name: `m${n}`, port: await freePort(), peerPort: await freePort() });
  }
  const initial = plan.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join(",");
  const flags = ["--initial-cluster", initial, ...(options.flags ?? [])];
  const launch = plan.map((member, index) => {
    const own = options.flagsOf?.(index, member.port) ?? [];
    return launchMember({ ...options, ...member, dir: dir.path, flags: [...flags, ...own] });
  });
  const members = await Promise.all(launch);
  await Promise.all(members.map(untilHealthy));
  return {
    members,
    endpoints: members.map((member) => member.endpoint),
    leader: () => findLeader(members),
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function findLeader(members: readonly EtcdServer[]): Promise<EtcdServer> {
  for (const member of members) {
    const answer = await fetch(`http://${member.endpoint}/v3/maintenance/status`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(1000),
    }).catch(() => null); // A member that is down or paused does not lead.
    if (answer === null) continue;
    const status = (await answer.json()) as { leader?: string; header?: { member_id?: string } };
    if (status.leader !== undefined && status.leader === status.header?.member_id) return member;
  }
  throw new Error("No member leads.");
}

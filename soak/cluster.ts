import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type EtcdServer, launchMember } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePort } from "../test/support/free-port.ts";

/** Three etcd members that can be killed, stopped and wiped, one by one or all together. */
export interface Cluster extends AsyncDisposable {
  /** `http://127.0.0.1:2379`, one for each member. */
  readonly endpoints: readonly string[];
  /** Those of members that are neither dead nor stopped. */
  up(): readonly string[];
  /** The number of the member that leads; null = none does, or it cannot be told. */
  leader(): Promise<number | null>;
  kill(...numbers: number[]): Promise<void>;
  /** Resolves when they answer. */
  start(...numbers: number[]): Promise<void>;
  pause(...numbers: number[]): void;
  resume(...numbers: number[]): Promise<void>;
  /** Takes a member out, with all that it has, and has a new one in its place. */
  replace(number: number, whileGone: () => Promise<void>): Promise<void>;
  /** Starts all anew with nothing in them. */
  wipeAll(): Promise<void>;
}

const SIZE = 3;
const ANSWER_MS = 120_000;

interface Member {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  server: EtcdServer | null;
  state: "up" | "down" | "paused";
}

export async function startCluster(dir: string): Promise<Cluster> {
  const members: Member[] = [];
  for (let number = 0; number < SIZE; number++) {
    const [port, peerPort] = [await freePort(), await freePort()];
    members.push({ name: `m${number}`, port, peerPort, server: null, state: "down" });
  }
  const peerUrl = ({ peerPort }: Member): string => `http://127.0.0.1:${peerPort}`;
  const initial = members.map((one) => `${one.name}=${peerUrl(one)}`).join(",");
  const chosen = (numbers: readonly number[]): Member[] =>
    members.filter((_, number) => numbers.includes(number));
  const url = ({ port }: Member): string => `http://127.0.0.1:${port}`;
  const dataOf = ({ name }: Member): string => join(dir, `${name}.data`);

  async function launch(member: Member, state: "new" | "existing"): Promise<void> {
    const flags = [
      "--initial-cluster",
      initial,
      "--initial-cluster-state",
      state,
      "--strict-reconfig-check=false",
    ];
    const { name, port, peerPort } = member;
    member.server = await launchMember({ name, port, peerPort, dir, flags });
    await answers(member);
  }
  async function answers(member: Member): Promise<void> {
    await eventually(() => member.server?.revision(), { timeoutMs: ANSWER_MS, everyMs: 100 });
    member.state = "up";
  }
  const kill = async (...numbers: number[]): Promise<void> => {
    for (const member of chosen(numbers)) member.state = "down";
    await Promise.all(chosen(numbers).map(async (member) => member.server?.kill("SIGKILL")));
  };
  const askSomebody = async (path: string, body: object): Promise<unknown> => {
    const member = members.find(({ state }) => state === "up");
    if (member === undefined) throw new Error("no member is up");
    return post(`${url(member)}/v3/${path}`, body);
  };

  await Promise.all(members.map((member) => launch(member, "new")));
  return {
    endpoints: members.map(url),
    up: () => members.filter(({ state }) => state === "up").map(url),
    async leader() {
      for (const [number, member] of members.entries()) {
        if (member.state !== "up") continue;
        const status = (await post(`${url(member)}/v3/maintenance/status`, {}).catch(() => ({}))) as Status;
        if (status.leader !== undefined && status.leader === status.header?.member_id) return number;
      }
      return null;
    },
    kill,
    async start(...numbers) {
      await Promise.all(
        chosen(numbers).map(async (member) => {
          await member.server?.restart().catch(() => undefined); // It gives up too soon for a busy machine.
          await answers(member);
        }),
      );
    },
    pause: (...numbers) => {
      for (const member of chosen(numbers)) {
        member.state = "paused";
        member.server?.pause();
      }
    },
    async resume(...numbers) {
      for (const member of chosen(numbers)) member.server?.resume();
      await Promise.all(chosen(numbers).map(answers));
    },
    async replace(number, whileGone) {
      const [member] = chosen([number]);
      if (member === undefined) return;
      const { header } = (await post(`${url(member)}/v3/maintenance/status`, {})) as Status;
      await kill(number);
      await eventually(() => askSomebody("cluster/member/remove", { ID: header?.member_id }), PATIENT);
      await rm(dataOf(member), { recursive: true, force: true });
      await whileGone();
      await eventually(() => askSomebody("cluster/member/add", { peerURLs: [peerUrl(member)] }), PATIENT);
      await launch(member, "existing");
    },
    async wipeAll() {
      await kill(...members.keys());
      for (const member of members) await rm(dataOf(member), { recursive: true, force: true });
      await Promise.all(members.map((member) => launch(member, "new")));
    },
    async [Symbol.asyncDispose]() {
      await kill(...members.keys());
    },
  };
}

interface Status {
  leader?: string;
  header?: { member_id?: string };
}

const PATIENT = { timeoutMs: 60_000, everyMs: 200 };

async function post(address: string, body: object): Promise<unknown> {
  const answer = await fetch(address, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`${new URL(address).pathname}: ${await answer.text()}`);
  return answer.json();
}

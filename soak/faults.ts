import { sendSignal } from "../scripts/lab/processes.ts";
import { eventually } from "../test/support/eventually.ts";
import type { Excuse } from "./excuses.ts";
import { HOSTILE_KEYS, MARK } from "./hostile-keys.ts";
import type { Lab } from "./lab.ts";
import type { FaultName } from "./rounds.ts";

interface FaultRun {
  readonly lab: Lab;
  /** Which member, agent or application: a number without a bound. */
  readonly pick: number;
  /** Resolves when the fault has lasted long enough. */
  readonly lasts: () => Promise<void>;
}

/** Breaks something, and resolves when it is whole again. What else goes wrong it throws. */
export type Fault = (run: FaultRun) => Promise<void>;

const MEMBERS = 3;
/** HAProxy needs 2 s and then five bad checks to know that an application is gone. */
const UNTIL_DOWN_MS = 6000;
const UNTIL_SERVED_MS = 1000;
const PATIENT = { timeoutMs: 60_000 };

export const FAULT_RUNS: Readonly<Record<FaultName, Fault>> = {
  "member-killed": (run) => memberKilled(run, run.pick % MEMBERS),
  "leader-killed": async (run) => memberKilled(run, (await run.lab.cluster.leader()) ?? run.pick % MEMBERS),
  "member-paused": async ({ lab: { cluster }, pick, lasts }) => {
    cluster.pause(pick % MEMBERS);
    await lasts();
    await cluster.resume(pick % MEMBERS);
  },
  "member-wiped": ({ lab: { cluster }, pick, lasts }) => cluster.replace(pick % MEMBERS, lasts),
  "quorum-lost": async ({ lab: { cluster }, pick, lasts }) => {
    const gone = [pick % MEMBERS, (pick + 1) % MEMBERS];
    if (pick % 2 === 0) await cluster.kill(...gone);
    else cluster.pause(...gone);
    await lasts();
    await (pick % 2 === 0 ? cluster.start(...gone) : cluster.resume(...gone));
  },
  "store-wiped": async ({ lab: { cluster, operator }, lasts }) => {
    await cluster.wipeAll();
    await lasts();
    await operator.restore();
  },
  compacted: ({ lab }) => lab.operator.compact(),
  "haproxy-worker-killed": (run) =>
    haproxyKilled(run, () => {
      for (const pid of run.lab.haproxy.processes()) sendSignal(pid, "SIGKILL");
    }),
  "haproxy-master-killed": (run) => haproxyKilled(run, () => sendSignal(run.lab.haproxy.master, "SIGKILL")),
  "rollcall-killed": async ({ lab: { rollcall }, lasts }) => {
    await rollcall.kill();
    await lasts();
    await rollcall.start();
  },
  "rollcall-paused": async ({ lab: { rollcall }, lasts }) => {
    rollcall.pause();
    await lasts();
    rollcall.resume();
  },
  "agent-killed": async ({ lab: { agents }, pick, lasts }) => {
    const agent = [...agents.values()][pick % agents.size];
    await agent?.kill();
    await lasts();
    agent?.start();
  },
  "app-killed": async ({ lab: { apps, excuses }, pick, lasts }) => {
    const running = apps.running();
    const name = running[pick % running.length];
    if (name === undefined) return;
    const end = excuses.begin("an application was killed", UNTIL_DOWN_MS);
    await apps.kill(name);
    await lasts();
    await apps.start(name);
    end();
  },
  "state-disk-full": (run) => diskFull(run, "stateDisk"),
  "config-disk-full": (run) => diskFull(run, "configDisk"),
  "hostile-keys": async ({ lab, lasts }) => {
    for (const [key, value] of HOSTILE_KEYS) await lab.operator.write(key, value, { passing: true });
    await lasts();
    const seen = lab.config().includes(MARK);
    for (const [key] of HOSTILE_KEYS) await lab.operator.write(key, null);
    if (seen) throw new Error("text of a refused key or value stands in the configuration");
  },
};

async function memberKilled({ lab: { cluster }, lasts }: FaultRun, number: number): Promise<void> {
  await cluster.kill(number);
  await lasts();
  await cluster.start(number);
}

/** Its supervisor starts it again, so it is not waited for longer than that takes. */
async function haproxyKilled({ lab: { haproxy, excuses } }: FaultRun, kill: () => void): Promise<void> {
  const why: Excuse = "HAProxy was killed";
  const end = excuses.begin(why, UNTIL_SERVED_MS);
  const old = haproxy.processes();
  kill();
  await eventually(async () => {
    if (old.includes(await haproxy.workerPid())) throw new Error("the old worker answers");
  }, PATIENT);
  end();
}

async function diskFull({ lab, lasts }: FaultRun, which: "stateDisk" | "configDisk"): Promise<void> {
  const disk = lab[which];
  disk.fill();
  await lasts();
  disk.free();
}

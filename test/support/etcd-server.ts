import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { Child } from "../../scripts/lab/child.ts";
import { etcdBinaries, type EtcdBinaries, type EtcdVersion } from "../../scripts/lab/etcd.ts";
import { etcdCalls, type EtcdCalls } from "./etcd-calls.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";

export interface EtcdOptions {
  version?: EtcdVersion;
  /** Where data and log go; a temporary folder when not given. */
  dir?: string;
  /** Port for clients on 127.0.0.1; a free one when not given. */
  port?: number;
  /** More command line flags, such as "--auto-compaction-retention=1". */
  flags?: readonly string[];
}

/** A real etcd process on 127.0.0.1. Its data and port stay the same over any number of restarts. */
export interface EtcdServer extends AsyncDisposable, EtcdCalls {
  /** "127.0.0.1:2379" */
  readonly endpoint: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process is gone. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Ends the process if it still runs, and starts it again; resolves when it answers. */
  restart(): Promise<void>;
  /** Stops the process in the middle of what it does (SIGSTOP): connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  log(): string;
  /** Runs etcdctl against this server and resolves with what it prints. */
  ctl(...args: string[]): Promise<string>;
}

/** Starts a single etcd and waits until it answers (about 0.3 s). */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  const [port, peerPort] = [options.port ?? (await freePort()), await freePort()];
  const flags = ["--initial-cluster", `m0=http://127.0.0.1:${peerPort}`, ...(options.flags ?? [])];
  const member = await launchMember({ ...options, name: "m0", port, peerPort, flags });
  await untilHealthy(member);
  return member;
}

/** Starts one member and does not wait for it: in a cluster a member answers only when most have started. */
export async function launchMember(
  options: EtcdOptions & { name: string; port: number; peerPort: number },
): Promise<EtcdServer> {
  const version = options.version ?? "3.5";
  const binaries = await etcdBinaries(version);
  const temp = options.dir === undefined ? await tempDir() : null;
  const dir = temp?.path ?? options.dir ?? "";
  mkdirSync(dir, { recursive: true });
  const [url, peerUrl] = [`http://127.0.0.1:${options.port}`, `http://127.0.0.1:${options.peerPort}`];
  // Tests kill processes, not the machine: no write has to reach the disk.
  const noSync = version === "3.4" ? [] : ["--unsafe-no-fsync"];
  const fast = [...noSync, "--heartbeat-interval", "50", "--election-timeout", "500"];
  const settings = [
    "--name",
    options.name,
    "--data-dir",
    join(dir, `${options.name}.data`),
    "--log-level",
    "warn",
  ];
  const client = ["--listen-client-urls", url, "--advertise-client-urls", url];
  const peer = ["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl];
  const flags = [...settings, ...client, ...peer, ...fast, ...(options.flags ?? [])];
  const launch = (): Child =>
    new Child({ command: [binaries.etcd, ...flags], logFile: join(dir, `${options.name}.log`) });
  const member = control({ launch, url, port: options.port, binaries });
  return Object.assign(member, {
    async [Symbol.asyncDispose]() {
      await member.kill("SIGKILL");
      await temp?.[Symbol.asyncDispose]();
    },
  });
}

function control(options: { launch: () => Child; url: string; port: number; binaries: EtcdBinaries }) {
  let child = options.launch();
  const endpoint = `127.0.0.1:${options.port}`;
  const member = {
    ...etcdCalls(options.url),
    endpoint,
    port: options.port,
    get pid() {
      return child.pid;
    },
    kill: (signal: "SIGKILL" | "SIGTERM" = "SIGKILL") => {
      if (signal === "SIGTERM") child.signal("SIGCONT"); // A paused process does not see SIGTERM.
      return child.kill(signal);
    },
    async restart() {
      await member.kill("SIGKILL");
      child = options.launch();
      await untilHealthy(member);
    },
    pause: () => child.signal("SIGSTOP"),
    resume: () => child.signal("SIGCONT"),
    log: () => child.log(),
    async ctl(...args: string[]) {
      const env = { ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: endpoint };
      return (await execa(options.binaries.etcdctl, args, { env })).stdout;
    },
  };
  return member;
}

/** Resolves when the member answers a read that needs a leader, be it by asking for a login. */
export async function untilHealthy(member: Pick<EtcdServer, "revision" | "log">): Promise<void> {
  const read = (): Promise<unknown> =>
    member.revision().catch((error: unknown) => {
      if (!String(error).includes("user name is empty")) throw error;
    });
  await eventually(read, { timeoutMs: 20_000 }).catch((error: unknown) => {
    throw new Error(`etcd does not answer. Its log ends so:\n${member.log().slice(-2000)}`, { cause: error });
  });
}

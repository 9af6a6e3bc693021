import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../../scripts/lab/child.ts";
import { childPids, untilGone } from "../../scripts/lab/processes.ts";
import { eventually } from "./eventually.ts";
import { askSocket } from "./stats-socket.ts";

/** A real HAProxy in master-worker mode, started as the official image does it. */
export interface HaproxyProcess extends AsyncDisposable {
  /** Pid of the master. */
  readonly master: number;
  readonly masterSocket: string | undefined;
  readonly statsSocket: string;
  /** Ports of the `bind` lines of the configuration, in their order. */
  readonly ports: readonly number[];
  readonly alive: boolean;
  /** How often it was started. */
  readonly starts: number;
  /** Sends one line to the worker's stats socket and resolves with the whole answer. */
  show(line: string): Promise<string>;
  /** Pid of the worker that answers on the stats socket. */
  workerPid(): Promise<number>;
  /** Pids of all workers that still run, also those that finish old connections. */
  processes(): number[];
  /** Sends a signal to the master and does not wait, for instance SIGHUP. */
  signal(name: NodeJS.Signals): void;
  /** Ends the master; resolves when it and its workers are gone. A supervised one comes back by itself. */
  kill(signal?: "SIGKILL" | "SIGTERM" | "SIGUSR1"): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
  /** Ends it if it runs and starts it again; resolves when it answers. */
  restart(): Promise<void>;
  /** Resolves when a worker answers. */
  ready(): Promise<void>;
  log(): string;
}

interface ControlOptions {
  launch: () => Child;
  supervise: boolean;
  config: string;
  masterSocket: string | undefined;
}

/** Launches HAProxy once and again as asked. Does not wait for it. */
export function controlHaproxy({ launch, supervise, config, masterSocket }: ControlOptions): HaproxyProcess {
  const statsSocket = /^\s*stats socket (?:unix@)?(\S+)/m.exec(config)?.[1];
  if (statsSocket === undefined) throw new Error("The configuration has no stats socket.");
  let starts = 0;
  let wanted = true;
  let child = start();

  function start(): Child {
    starts++;
    const started = launch();
    if (supervise) void started.exited.then(revive);
    return started;
  }

  // Docker waits 0.1 s before the first restart too.
  async function revive(): Promise<void> {
    await sleep(100);
    if (wanted && !child.alive) child = start();
  }

  const haproxy: HaproxyProcess = {
    get master() {
      return child.pid;
    },
    get alive() {
      return child.alive;
    },
    get starts() {
      return starts;
    },
    masterSocket,
    statsSocket,
    ports: [...config.matchAll(/^\s*bind \S*:(\d+)/gm)].map((match) => Number(match[1])),
    show: (line) => askSocket(statsSocket, line),
    workerPid: async () => pidIn(await haproxy.show("show info")),
    processes: () => childPids(child.pid),
    signal: (name) => child.signal(name),
    async kill(signal = "SIGKILL") {
      const workers = haproxy.processes();
      await child.kill(signal);
      // A worker ends by itself when its master has died; in a container it would be killed with it.
      for (const worker of workers) await untilGone(worker, 5_000);
    },
    async stop() {
      wanted = false;
      await haproxy.kill("SIGKILL");
    },
    async restart() {
      wanted = false;
      await haproxy.kill("SIGKILL");
      wanted = true;
      child = start();
      await haproxy.ready();
    },
    ready: () => untilReady(haproxy, supervise),
    log: () => child.log(),
    [Symbol.asyncDispose]: () => haproxy.stop(),
  };
  return haproxy;
}

async function untilReady(haproxy: HaproxyProcess, supervised: boolean): Promise<void> {
  const died = (): boolean => !supervised && !haproxy.alive;
  const worker = await eventually(async () => (died() ? null : await haproxy.workerPid())).catch(() => null);
  if (worker === null) throw new Error(`HAProxy does not run. Its log:\n${haproxy.log().slice(-4000)}`);
}

function pidIn(info: string): number {
  const pid = /^Pid: (\d+)$/m.exec(info)?.[1];
  if (pid === undefined) throw new Error(`Not an answer to "show info": ${info.slice(0, 200)}`);
  return Number(pid);
}

import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installPackages } from "./apt.ts";
import { bridgeName, ensureBridge, removeBridge, type Bridge } from "./bridge.ts";
import { Child } from "./child.ts";
import { clearEngine } from "./engine-leftovers.ts";
import { commandLine, findProcesses, isAlive, sendSignal, untilGone } from "./processes.ts";

export interface EngineOptions {
  /** Names it in messages. */
  name: string;
  /** Where images, containers and the log live; on a file system that can hold overlays, such as ext4. */
  dir: string;
  /** Containers run on while the engine is down. */
  liveRestore?: boolean;
  /** It goes on running when this process ends. */
  detached?: boolean;
}

/** A Docker engine of our own, with its own bridge, network and data. Nothing of another engine is touched. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  readonly socketPath: string;
  /** "unix:///run/rollcall-0123abcd/docker.sock" */
  readonly dockerHost: string;
  /** Whether the engine's process runs, be it paused. */
  running(): boolean;
  /** Starts it with the data it had; resolves when it answers. Does nothing when it runs. */
  start(): Promise<void>;
  /** Ends it, and resolves when it is gone. After SIGKILL its containers run on, until the next start at most. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Stops it in the middle of what it does (SIGSTOP): connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  log(): Promise<string>;
  /** Ends the engine and its containers and removes bridge, packet filter rules and data. */
  dispose(): Promise<void>;
}

/** Starts a Docker engine as root (about 1 s). @throws Error with the end of its log when it does not come up. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  if (process.getuid?.() !== 0) throw new Error("A Docker engine of the lab needs root.");
  await installPackages(["iptables", "iproute2"]);
  if (!existsSync("/usr/sbin/dockerd") && !existsSync("/usr/bin/dockerd"))
    await installPackages(["docker.io"]);
  const engine = attachEngine(options);
  await engine.start();
  return engine;
}

/** The engine that belongs to the folder, whether it runs or not. */
export function attachEngine(options: EngineOptions): Engine {
  const { name, dir } = options;
  const bridge = bridgeName(dir);
  const runDir = `/run/rollcall-${bridge}`; // Short: it holds unix sockets.
  const paths: EnginePaths = {
    dir,
    runDir,
    socket: join(runDir, "docker.sock"),
    log: join(dir, "dockerd.log"),
  };
  const engine: Engine = {
    name,
    socketPath: paths.socket,
    dockerHost: `unix://${paths.socket}`,
    running: () => findEngine(paths) !== undefined,
    start: () => start(options, paths, bridge),
    stop: (signal = "SIGTERM") => stop(paths, signal),
    pause: () => signalEngine(paths, "SIGSTOP"),
    resume: () => signalEngine(paths, "SIGCONT"),
    log: () => readFile(paths.log, "utf8"),
    async dispose() {
      const made = await ensureBridge(bridge);
      await stop(paths, "SIGTERM");
      await clearEngine(paths);
      await removeBridge(made);
      await rm(runDir, { recursive: true, force: true });
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
    [Symbol.asyncDispose]: () => engine.dispose(),
  };
  return engine;
}

export interface EnginePaths {
  dir: string;
  runDir: string;
  socket: string;
  log: string;
}

async function start(options: EngineOptions, paths: EnginePaths, bridgeTo: string): Promise<void> {
  if (findEngine(paths) !== undefined) return;
  await endContainerd(paths); // It would keep a new engine from starting its own.
  await mkdir(paths.dir, { recursive: true });
  await mkdir(paths.runDir, { recursive: true });
  await rm(join(paths.runDir, "docker.pid"), { force: true });
  const child = new Child({
    command: ["dockerd", ...flags(options, paths, await ensureBridge(bridgeTo))],
    logFile: paths.log,
    whenParentDies: options.detached === true ? "none" : "TERM",
  });
  const startedAt = performance.now();
  while (!(await answers(paths.socket))) {
    if (child.alive && performance.now() - startedAt < 60_000) {
      await sleep(50);
      continue;
    }
    await child.kill("SIGKILL");
    throw new Error(
      `The Docker engine ${options.name} does not start. Its log ends so:\n${child.log().slice(-2000)}`,
    );
  }
}

function flags(options: EngineOptions, paths: EnginePaths, bridge: Bridge): string[] {
  const { dir, runDir, socket } = paths;
  const folders = [
    "--data-root",
    join(dir, "data"),
    "--exec-root",
    runDir,
    "--pidfile",
    join(runDir, "docker.pid"),
  ];
  // Networks that are made later come from the upper half of the bridge's own /16.
  const network = [
    "--bridge",
    bridge.name,
    "--default-address-pool",
    `base=10.${bridge.octet}.128.0/17,size=24`,
  ];
  const live = options.liveRestore === true ? ["--live-restore"] : [];
  return ["-H", `unix://${socket}`, "--log-level", "warn", ...folders, ...network, ...live];
}

async function stop(paths: EnginePaths, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const pid = findEngine(paths);
  if (pid === undefined) return endContainerd(paths);
  sendSignal(pid, signal);
  if (signal === "SIGTERM") sendSignal(pid, "SIGCONT"); // A paused engine does not see SIGTERM.
  if (!(await untilGone(pid, 30_000))) sendSignal(pid, "SIGKILL");
  await untilGone(pid, 5_000);
  await endContainerd(paths);
}

// A killed engine leaves its containerd behind; the containers belong to other processes and run on.
async function endContainerd({ runDir }: EnginePaths): Promise<void> {
  const isOurs = (pid: number): boolean => commandLine(pid).startsWith(`containerd --config ${runDir}/`);
  for (const pid of findProcesses(isOurs)) {
    sendSignal(pid, "SIGKILL");
    await untilGone(pid, 5_000);
  }
  // The engine would wait for the one named here even when only its zombie is left.
  await rm(join(runDir, "containerd/containerd.pid"), { force: true });
}

function findEngine({ dir }: EnginePaths): number | undefined {
  const mark = `--data-root ${join(dir, "data")} `;
  return findProcesses(
    (pid) => /^\S*dockerd /.test(commandLine(pid)) && commandLine(pid).includes(mark),
  ).find(isAlive);
}

function signalEngine(paths: EnginePaths, signal: "SIGSTOP" | "SIGCONT"): void {
  const pid = findEngine(paths);
  if (pid === undefined) throw new Error("The Docker engine does not run.");
  sendSignal(pid, signal);
}

/** Whether a Docker engine answers on that socket within a second. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: "/_ping", timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on("timeout", () => ping.destroy());
    ping.on("error", () => resolve(false));
    ping.on("close", () => resolve(false));
    ping.end();
  });
}

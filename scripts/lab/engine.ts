import type { EngineOptions } from "./engine-options.ts";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "./apt.ts";
import { bridgeName, ensureBridge, removeBridge } from "./bridge.ts";
import { dockerPrograms } from "./docker-programs.ts";
import { endEngine, findEngine, launchEngine, signalEngine, type EnginePaths } from "./engine-process.ts";
import { clearEngine } from "./engine-leftovers.ts";

/** A Docker engine of our own, with its own bridge, network and data. Nothing of another engine is touched. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  readonly socketPath: string;
  /** "unix:///run/rollcall-0123abcd/docker.sock" */
  readonly dockerHost: string;
  /** Where sockets and pids are: the command lines of its containers' parents name it. */
  readonly runDir: string;
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
  /** Ends the engine and its containers, and removes bridge and packet filter rules. Images and data stay. */
  leave(): Promise<void>;
  /** Like `leave`, and removes images and data too. */
  dispose(): Promise<void>;
}

/** Starts a Docker engine as root (about 1 s). @throws Error with the end of its log when it does not come up. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  if (process.getuid?.() !== 0) {
    throw new Error("No Docker engine answers. Start Docker, or run as root to get one.");
  }
  await installPackages(["iptables", "iproute2"]);
  await dockerPrograms();
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
    runDir,
    running: () => findEngine(paths) !== undefined,
    start: () => launchEngine(options, { paths, bridge }),
    stop: (signal = "SIGTERM") => endEngine(paths, signal),
    pause: () => signalEngine(paths, "SIGSTOP"),
    resume: () => signalEngine(paths, "SIGCONT"),
    log: () => readFile(paths.log, "utf8"),
    async leave() {
      await endEngine(paths, "SIGTERM");
      await clearEngine(paths);
      // It is found by name, and tells which network was ours. That of a namespace goes with the namespace.
      if (options.namespace === undefined) await removeBridge(await ensureBridge(bridge));
      await rm(runDir, { recursive: true, force: true });
    },
    async dispose() {
      await engine.leave();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
    [Symbol.asyncDispose]: () => engine.dispose(),
  };
  return engine;
}

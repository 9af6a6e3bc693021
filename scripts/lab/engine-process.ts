import { mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureBridge, type Bridge } from "./bridge.ts";
import { Child } from "./child.ts";
import { dockerPath } from "./docker-programs.ts";
import type { EngineOptions } from "./engine-options.ts";
import { commandLine, findProcesses, isAlive, sendSignal, untilGone } from "./processes.ts";

/** Where an engine keeps things. */
export interface EnginePaths {
  /** Images, containers and the log. */
  dir: string;
  /** Sockets and pids. */
  runDir: string;
  socket: string;
  log: string;
}

/** Starts the engine if it does not run, and resolves when it answers. */
export async function launchEngine(
  options: EngineOptions,
  { paths, bridge }: { paths: EnginePaths; bridge: string },
): Promise<void> {
  if (findEngine(paths) !== undefined) return;
  await endContainerd(paths); // It would keep a new engine from starting its own.
  await mkdir(paths.dir, { recursive: true });
  await mkdir(paths.runDir, { recursive: true });
  await rm(join(paths.runDir, "docker.pid"), { force: true });
  const { namespace } = options;
  const network =
    namespace === undefined
      ? bridgeFlags(await ensureBridge(bridge))
      : ["--bip", namespace.containers, "--default-address-pool", `base=${namespace.pool},size=24`];
  const command: [string, ...string[]] = ["dockerd", ...flags(options, paths), ...network];
  const child = new Child({
    // Not by "ip netns exec", which has a /sys of its own, without the control groups.
    command:
      namespace === undefined ? command : ["nsenter", `--net=/run/netns/${namespace.name}`, ...command],
    logFile: paths.log,
    env: { PATH: dockerPath() }, // It looks for containerd, runc and docker-proxy there.
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

// Networks that are made later come from the upper half of the bridge's own /16.
const bridgeFlags = ({ name, octet }: Bridge): string[] => [
  "--bridge",
  name,
  "--default-address-pool",
  `base=10.${octet}.128.0/17,size=24`,
];

function flags(options: EngineOptions, paths: EnginePaths): string[] {
  const { dir, runDir, socket } = paths;
  const folders = [
    "--data-root",
    join(dir, "data"),
    "--exec-root",
    runDir,
    "--pidfile",
    join(runDir, "docker.pid"),
  ];
  const live = options.liveRestore === true ? ["--live-restore"] : [];
  return ["-H", `unix://${socket}`, "--log-level", "warn", ...folders, ...live, ...(options.flags ?? [])];
}

/** Ends the engine, with SIGKILL after 30 s at the latest, and resolves when it and its containerd are gone. */
export async function endEngine(paths: EnginePaths, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
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
  const isOurs = (pid: number): boolean => commandLine(pid).includes(`containerd --config ${runDir}/`);
  for (const pid of findProcesses(isOurs)) {
    sendSignal(pid, "SIGKILL");
    await untilGone(pid, 5_000);
  }
  // The engine would wait for the one named here even when only its zombie is left.
  await rm(join(runDir, "containerd/containerd.pid"), { force: true });
}

/** Pid of the engine, if it runs. */
export function findEngine({ dir }: EnginePaths): number | undefined {
  const mark = `--data-root ${join(dir, "data")} `;
  return findProcesses(
    (pid) => /^\S*dockerd /.test(commandLine(pid)) && commandLine(pid).includes(mark),
  ).find(isAlive);
}

/** @throws Error when the engine does not run. */
export function signalEngine(paths: EnginePaths, signal: "SIGSTOP" | "SIGCONT"): void {
  const pid = findEngine(paths);
  if (pid === undefined) throw new Error("The Docker engine does not run.");
  sendSignal(pid, signal);
}

function answers(socketPath: string): Promise<boolean> {
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

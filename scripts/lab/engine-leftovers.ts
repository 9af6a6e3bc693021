import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { childPids, commandLine, findProcesses, sendSignal, untilGone } from "./processes.ts";

/**
 * Ends the containers of an engine that runs no longer, and unmounts what it left mounted, so that its folders can be
 * removed. The engine itself must be gone.
 */
export async function clearEngine(paths: { dir: string; runDir: string }): Promise<void> {
  // Each container hangs below a process of its own, the shim, which outlives the engine.
  const shims = findProcesses((pid) => commandLine(pid).includes(`${paths.runDir}/`));
  const pids = [...shims.flatMap(childPids), ...shims];
  for (const pid of pids) sendSignal(pid, "SIGKILL");
  for (const pid of pids) await untilGone(pid, 5_000);
  // The latest mount first: it may lie within an earlier one.
  for (const mount of (await mountsBelow([paths.dir, paths.runDir])).toReversed()) {
    await execa("umount", ["-l", mount], { reject: false });
  }
}

async function mountsBelow(folders: readonly string[]): Promise<string[]> {
  const points = (await readFile("/proc/self/mounts", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return points.filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)));
}

import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A folder that is a file system of its own and can be filled. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): void;
  free(): void;
}

const SIZE = "4m";
const BLOCK = Buffer.alloc(64 * 1024);

/** Whether this process may mount: the faults of the disk need it. */
export const mayMount = (): boolean => process.getuid?.() === 0;

/** Mounts a tmpfs; without the right to do so it is a folder like any other, which is never filled. */
export function smallDisk(path: string): SmallDisk {
  mkdirSync(path, { recursive: true });
  const filler = join(path, "filler");
  const isMounted = mayMount() && run("mount", "-t", "tmpfs", "-o", `size=${SIZE},mode=755`, "tmpfs", path);
  // Also when this process ends in another way than by its own end.
  const unmount = (): void => void (isMounted && run("umount", "-l", path));
  process.once("exit", unmount);
  return {
    path,
    fill: () => {
      if (!isMounted) throw new Error("only a disk of its own is filled");
      const file = openSync(filler, "w");
      try {
        for (const size of [BLOCK.length, 1]) while (wasWritten(file, size));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => {
      process.off("exit", unmount);
      unmount();
    },
  };
}

/** False = there is no room. */
function wasWritten(file: number, size: number): boolean {
  try {
    return writeSync(file, BLOCK, 0, size) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

const run = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { labPath } from "./lab-dir.ts";

/**
 * Runs `work` while no other process (or other call in this one) holds the lock of that name in this lab. Waits
 * for as long as the other one lives. The lock is the kernel's, held by a child that ends with its stdin: a killed
 * set-up leaves nothing behind to clean up.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(labPath("locks"), { recursive: true });
  const holder = spawn("flock", [labPath("locks", name), "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(holder.stdout, "data");
    return await work();
  } finally {
    holder.stdin.end();
  }
}

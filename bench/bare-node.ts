import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../scripts/lab/child.ts";
import { eventually } from "../test/support/eventually.ts";
import { freePort } from "../test/support/free-port.ts";
import { tempDir } from "../test/support/temp-dir.ts";

export const BARE_NODE = "Node.js that does nothing";

const SERVER = `require("http").createServer((q, s) => s.end()).listen(+process.argv[1], "127.0.0.1")`;

/** A process of Node.js that only answers HTTP, the floor of every program that runs on it: start and memory. */
export async function bareNode(): Promise<{ ms: number; memoryMiB: number }> {
  await using dir = await tempDir();
  const port = await freePort();
  const startedAt = performance.now();
  const child = new Child({
    command: [process.execPath, "-e", SERVER, String(port)],
    logFile: join(dir.path, "node.log"),
  });
  try {
    await eventually(() => fetch(`http://127.0.0.1:${port}`), { everyMs: 2 });
    const ms = performance.now() - startedAt;
    await sleep(500);
    return { ms, memoryMiB: residentMiB(child.pid) };
  } finally {
    await child.kill();
  }
}

/** Resident memory of a process. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

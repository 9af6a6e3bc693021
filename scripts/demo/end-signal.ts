import { readFileSync } from "node:fs";

const PARENTS_CHECK_MS = 250;

/**
 * Aborts when the demo is to end: on SIGINT, SIGTERM or SIGHUP, when nobody reads its output any more, and, below npm,
 * when npm or its shell was killed. Further signals change nothing: a terminal and npm both send SIGINT for one Ctrl-C.
 */
export function endSignal(): AbortSignal {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  process.stdout.on("error", end);
  if (process.env["npm_lifecycle_event"] !== undefined) {
    const before = parents();
    setInterval(() => parents() !== before && end(), PARENTS_CHECK_MS).unref();
  }
  return controller.signal;
}

/** The pids of parent and grandparent: npm starts a shell, and the shell the demo. */
function parents(): string {
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, "utf8");
    return `${process.ppid} ${/^PPid:\s+(\d+)/m.exec(status)?.[1]}`;
  } catch {
    return "gone";
  }
}

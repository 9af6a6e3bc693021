import { readdirSync, readFileSync } from "node:fs";

/** The processes whose parent is `pid` and which are still running. Zombies do not count. */
export function childPids(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => isChild(candidate, pid));
}

function isChild(candidate: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${candidate}/stat`, "utf8");
    // The second field is the program's name in parentheses, and may itself contain spaces and parentheses.
    const [state, parentPid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(parentPid) === parent && state !== "Z";
  } catch {
    return false; // It ended while we looked.
  }
}

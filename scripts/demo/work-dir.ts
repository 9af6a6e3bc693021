import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labPath } from "../lab/lab-dir.ts";
import { afterDeath } from "./after-death.ts";

/** The demo's own folder. It goes when the process ends, however it ends. */
export interface WorkDir {
  readonly path: string;
  /** Copies the logs to where they stay, and returns that folder; null when there are none. */
  keepLogs(): string | null;
  /** Removes it; to be called when nothing runs any more that could write to it. */
  remove(): void;
}

export function workDir(): WorkDir {
  // Short: it holds unix sockets, whose path may have 107 bytes.
  const path = mkdtempSync(join(tmpdir(), "rc-demo-"));
  const otherwise = afterDeath(["rm", "-rf", "--", path]);
  return {
    path,
    keepLogs() {
      const logs = readdirSync(path).filter((name) => name.endsWith(".log"));
      if (logs.length === 0) return null;
      mkdirSync(labPath(), { recursive: true });
      const kept = mkdtempSync(labPath("demo-logs-"));
      for (const name of logs) copyFileSync(join(path, name), join(kept, name));
      return kept;
    },
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
      otherwise.cancel();
    },
  };
}

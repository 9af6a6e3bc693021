import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { eventually } from "../test/support/eventually.ts";
import { tempDir } from "../test/support/temp-dir.ts";

/** How long an event loop was not free at most, in milliseconds. */
export interface LongestBlock {
  /** Between two turns; on a busy machine the process has waited for a processor in that time, too. */
  readonly wallMs: number;
  /** Processor time that the main thread has used between two turns. */
  readonly cpuMs: number;
}

/** Watches the event loops of daemons from within. */
export interface LoopDelay extends AsyncDisposable {
  /** Resolves with the longest block since the last call, or since the daemon's start. */
  longestBlock(daemon: { readonly pid: number }): Promise<LongestBlock>;
}

/** Until it is disposed of, each Node.js process that is started by this one is watched; one at a time can be asked. */
export async function watchLoopDelay(): Promise<LoopDelay> {
  const dir = await tempDir();
  const file = join(dir.path, "longest-block");
  const hook = pathToFileURL(join(import.meta.dirname, "loop-delay-hook.ts")).href;
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = `${before ?? ""} --import=${hook}`.trim();
  process.env["BENCH_LOOP_DELAY"] = file;
  return {
    async longestBlock({ pid }) {
      rmSync(file, { force: true });
      process.kill(pid, "SIGUSR2");
      return eventually(() => {
        if (!existsSync(file)) throw new Error("the daemon does not answer SIGUSR2");
        return JSON.parse(readFileSync(file, "utf8")) as LongestBlock;
      });
    },
    async [Symbol.asyncDispose]() {
      if (before === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = before;
      delete process.env["BENCH_LOOP_DELAY"];
      await dir[Symbol.asyncDispose]();
    },
  };
}

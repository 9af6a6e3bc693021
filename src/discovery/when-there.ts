import { existsSync } from "node:fs";
import { sleep } from "../lib/sleep.ts";
import type { Source } from "./source.ts";

/** How often to look, in milliseconds. */
const LOOK_MS = 1000;

/** A source that may not exist on this machine: it waits, without complaint, until the socket at `path` is there. */
export function whenThere(source: Source, path: string): Source {
  return {
    ...source,
    run: async (publish, signal) => {
      while (!signal.aborted && !existsSync(path)) await sleep(LOOK_MS, signal);
      if (!signal.aborted) await source.run(publish, signal);
    },
  };
}

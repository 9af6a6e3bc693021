import type { StateTrouble } from "../core/status.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";

/** Whether what is to be remembered can be written; told when that begins to fail, and when it is over. */
export interface WriteTrouble {
  /**
   * Does the work, which throws when it cannot.
   * @param what tells apart what is written beside each other.
   * @returns whether it was done; if not, it is to be tried again.
   */
  attempt(what: string, work: () => Promise<void>): Promise<boolean>;
  /** The oldest trouble; null = there is none. */
  current(): StateTrouble | null;
}

/** @param options.path the state folder. */
export function writeTrouble(options: { path: string; log: Logger; now: () => number }): WriteTrouble {
  const { path, log, now } = options;
  const troubles = new Map<string, StateTrouble>();

  function fails(what: string, reason: string): void {
    const before = troubles.get(what);
    troubles.set(what, { reason, sinceMs: before?.sinceMs ?? now() });
    if (before?.reason !== reason)
      log.warn({ what, reason }, "state cannot be written, HAProxy is not touched by that");
  }

  return {
    attempt: async (what, work) => {
      try {
        await work();
        if (troubles.delete(what)) log.info({ what }, "state can be written again");
        return true;
      } catch (error) {
        fails(what, reasonOf(path, error));
        return false;
      }
    },
    current: () => [...troubles.values()].toSorted((a, b) => a.sinceMs - b.sinceMs)[0] ?? null,
  };
}

/** Without the name of the file, which is another one at each try. */
function reasonOf(path: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC":
    case "EDQUOT":
      return `no space left in ${path}`;
    case "EROFS":
      return `${path} is on a disk that is read-only`;
    case "EACCES":
    case "EPERM":
      return `${path} is not writable for this user`;
    case "EMFILE":
    case "ENFILE":
      return "too many files are open";
    default:
      return messageOf(error);
  }
}

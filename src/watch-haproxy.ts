import { sleep } from "./lib/sleep.ts";

/** How often HAProxy is asked who it is, in milliseconds: while it answers, and while it does not. */
const WATCH_MS = 300;
const WATCH_DOWN_MS = 200;

/**
 * Notices a HAProxy that went away, that is back, or that was restarted or reloaded by somebody else, until `signal`
 * aborts. `onOther` is called once for each worker that answers and is not the one that is known to be ours, and once
 * when none answers any more: the file for its next start is looked at then.
 */
export async function watchHaproxy(
  options: {
    /** Pid of the worker that answers; null = none does. */
    workerPid: () => Promise<number | null>;
    /** Pid of the worker that was proven to run what is wanted. */
    knownPid: () => number | null;
    onOther: () => void;
  },
  signal: AbortSignal,
): Promise<void> {
  let seen: number | null = null;
  while (!signal.aborted) {
    const pid = await options.workerPid();
    if (pid !== seen && (pid === null || pid !== options.knownPid())) options.onOther();
    seen = pid;
    await sleep(pid === null ? WATCH_DOWN_MS : WATCH_MS, signal);
  }
}

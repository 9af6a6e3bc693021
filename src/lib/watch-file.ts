import { statSync, watch, type BigIntStats, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { dirtyFlag, type DirtyFlag } from "./dirty-flag.ts";
import { messageOf } from "./errors.ts";
import { sleep } from "./sleep.ts";

/** Events are lost on some file systems, and a link may lead out of the folder: look anyway, this often. */
const POLL_MS = 2000;
/** Who writes without renaming does it in several steps. */
const QUIET_MS = 50;

/**
 * Calls `onChange` after each change of the file at `path`, which need not exist yet, until `signal` aborts: when it
 * is written, replaced, removed, or reached through another link. What happens after the call of `watchFile` is not
 * missed, so call it first and read the file then. Errors of reading are for the reader to meet.
 */
export function watchFile(path: string, onChange: () => void, options: { signal: AbortSignal }): void {
  const { signal } = options;
  if (signal.aborted) return;
  const looks = dirtyFlag();
  const folder = folderWatch(dirname(path), () => looks.poke());
  signal.addEventListener("abort", () => folder.close(), { once: true });
  void lookAgain({ path, onChange, looks, renew: () => folder.renew(), signal });
}

async function lookAgain(given: {
  path: string;
  onChange: () => void;
  looks: DirtyFlag;
  renew: () => void;
  signal: AbortSignal;
}): Promise<void> {
  const { path, signal } = given;
  let seen = identityNow(path);
  for (;;) {
    const woken = await given.looks.wait(signal, POLL_MS);
    if (woken === "poked") await sleep(QUIET_MS, signal);
    if (signal.aborted) return;
    given.renew();
    const now = await identity(path);
    if (signal.aborted) return;
    if (now !== seen) given.onChange();
    seen = now;
  }
}

/** Watches the folder, not the file: editors and Kubernetes replace the file or a link on the way to it. */
function folderWatch(folder: string, onEvent: () => void): { renew(): void; close(): void } {
  let watched: { watcher: FSWatcher; inode: string } | null = null;
  const close = (): void => {
    watched?.watcher.close();
    watched = null;
  };
  const renew = (): void => {
    const inode = inodeNow(folder);
    if (watched?.inode === inode) return;
    close();
    if (inode === null) return;
    try {
      const watcher = watch(folder, onEvent);
      watcher.on("error", close);
      watched = { watcher, inode };
    } catch {
      // No watches left, or the folder is just gone: the slow look goes on, and tries this again.
    }
  };
  renew();
  return { renew, close };
}

function inodeNow(folder: string): string | null {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** What tells one state of a file from another; the reason when it cannot be seen. */
const identityOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(":");

async function identity(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(identityOf, messageOf);
}

function identityNow(path: string): string {
  try {
    return identityOf(statSync(path, { bigint: true }));
  } catch (thrown) {
    return messageOf(thrown);
  }
}

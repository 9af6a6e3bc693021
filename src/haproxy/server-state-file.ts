import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { NO_STATES } from "../core/server-state.ts";

/**
 * The file from which a new worker takes its servers' states (`server-state-file`). It holds states only while a
 * reload is under way: hours later, HAProxy would start anew with ports and states that are long gone. A reload
 * without it is better than none, so what goes wrong is returned, to be logged, and never thrown.
 */
export interface ServerStateFile {
  /** Just before a reload. */
  save(text: string): Promise<Error | null>;
  /** As soon as a reload was proven or has failed, and when Rollcall starts. */
  clear(): Promise<Error | null>;
  /** Makes an empty one where there is none, of which HAProxy up to 3.0 would warn. */
  create(): Promise<Error | null>;
}

/** HAProxy may run as another user. */
const MODE = 0o644;

export function serverStateFile(path: string): ServerStateFile {
  /** Always the same: one that was left behind by a Rollcall that died is used again. */
  const next = `${path}.next`;

  async function replace(text: string): Promise<void> {
    try {
      await writeFile(next, text, { mode: MODE });
      // The mode above is cut by the umask.
      await chmod(next, MODE);
      await rename(next, path);
    } catch (error) {
      await rm(next, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** On a full disk no file can be made, but one can be taken away: HAProxy then starts with a warning. */
  async function clear(): Promise<void> {
    await replace(NO_STATES).catch(async (error: unknown) => {
      await rm(path, { force: true });
      throw error;
    });
  }

  return {
    save: (text) => attempt(path, () => replace(text)),
    clear: () => attempt(path, clear),
    create: () => attempt(path, () => createFile(path)),
  };
}

async function createFile(path: string): Promise<void> {
  await writeFile(path, NO_STATES, { flag: "wx", mode: MODE }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

async function attempt(path: string, work: () => Promise<void>): Promise<Error | null> {
  try {
    await work();
    return null;
  } catch (cause) {
    const { message } = cause as Error;
    return new Error(`server-state-file ${path} cannot be written: ${message}`, { cause });
  }
}

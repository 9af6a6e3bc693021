import { open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { HaproxyError } from "./haproxy-error.ts";

/**
 * HAProxy's configuration file. It is only ever replaced as a whole, by renaming a file beside it, and never absent:
 * a HAProxy that starts at any moment, or a master that reloads, finds a complete text that passed the check.
 */
export interface ConfigFile {
  readonly path: string;
  /** The live text; null when there is no file. */
  read(): Promise<string | null>;
  /** Writes the candidate beside the live file, in the same folder, and returns its path. */
  stage(text: string): Promise<string>;
  /** Makes the staged candidate the live file, and notes that it is not proven to run yet. */
  commit(): Promise<void>;
  /** Notes that HAProxy runs the live file. */
  proven(): Promise<void>;
  /** True when the live file was committed but HAProxy was not yet seen to run it, for instance after a crash. */
  isPending(): Promise<boolean>;
}

/** Mode of a new file; an existing one keeps its mode and owner. */
const NEW_FILE_MODE = 0o644;

/** Neither name ends in `.cfg`, since `haproxy -f FOLDER` reads all that do. */
export function configFile(path: string): ConfigFile {
  const candidate = `${path}.next`;
  const pending = `${path}.pending`;
  return {
    path,
    read: () => readIfThere(path),
    stage: (text) => attempt(path, () => stage(text, { path, candidate })),
    commit: () =>
      attempt(path, async () => {
        await (await open(pending, "w")).close();
        await rename(candidate, path);
        await syncFolder(dirname(path));
      }),
    proven: () => rm(pending, { force: true }),
    isPending: async () => (await readIfThere(pending)) !== null,
  };
}

async function stage(text: string, files: { path: string; candidate: string }): Promise<string> {
  const old = await stat(files.path).catch(() => null);
  await using file = await open(files.candidate, "w", NEW_FILE_MODE);
  await file.writeFile(text);
  if (old !== null) await keepOwner(file, old);
  await file.sync();
  return files.candidate;
}

async function keepOwner(file: FileHandle, old: { mode: number; uid: number; gid: number }): Promise<void> {
  const now = await file.stat();
  if (now.uid !== old.uid || now.gid !== old.gid) await file.chown(old.uid, old.gid).catch(() => undefined);
  await file.chmod(old.mode & 0o7777);
}

/** Without this a power cut may bring the old name back, although the file itself is on disk. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function attempt<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new HaproxyError(explain(path, cause as NodeJS.ErrnoException), {
      stage: "commit",
      kind: "failed",
      cause,
    });
  }
}

/** What the operator can do about a file that could not be replaced. */
function explain(path: string, error: NodeJS.ErrnoException): string {
  const folder = dirname(path);
  switch (error.code) {
    case "EBUSY":
      return `${path} is a bind mount of a single file, which cannot be replaced: mount its folder ${folder} instead`;
    case "ENOENT":
      return `folder ${folder} does not exist: create it, or set haproxy-config`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `folder ${folder} is not writable for this user: ${basename(path)} is replaced by a rename in it`;
    case "ENOSPC":
      return `no space left in ${folder}; ${path} is unchanged`;
    default:
      return `${path} could not be replaced`;
  }
}

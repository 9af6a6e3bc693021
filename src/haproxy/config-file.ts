import { randomUUID } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HaproxyError } from "./haproxy-error.ts";

/**
 * HAProxy's configuration file. It is only ever replaced as a whole, by renaming a file beside it, and never absent:
 * a HAProxy that starts at any moment, or a master that reloads, finds a complete text that passed the check. Beside
 * it stand `.pending`, while the live file was not yet seen to run, and `.good`, a copy of the last text that was.
 */
export interface ConfigFile {
  readonly path: string;
  /**
   * The live text; null when there is no file.
   * @throws HaproxyError `failed`
   */
  read(): Promise<string | null>;
  /** The last text that HAProxy was seen to run; null when there is none. */
  readGood(): Promise<string | null>;
  /**
   * Writes the candidate beside the live file, in the same folder, under a name that no other writer has.
   * @throws HaproxyError `failed`
   */
  stage(text: string): Promise<StagedFile>;
  /** Notes that HAProxy runs the live file, which is `text`. */
  proven(text: string): Promise<void>;
}

/** A candidate on the disk. It must be committed or discarded. */
export interface StagedFile {
  readonly path: string;
  /**
   * Makes it the live file.
   * @throws HaproxyError `failed`
   */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Mode of a new file; an existing one keeps its mode and owner. */
const NEW_FILE_MODE = 0o644;
/** Candidates of this age, in milliseconds, were left behind by a writer that died. */
const STALE_MS = 10 * 60_000;

/** No name beside the live one ends in `.cfg`, since `haproxy -f FOLDER` reads all that do. */
export function configFile(path: string): ConfigFile {
  const [pending, good] = [`${path}.pending`, `${path}.good`];

  async function write(text: string): Promise<string> {
    const candidate = `${path}.next.${randomUUID().slice(0, 8)}`;
    const old = await stat(path).catch(() => null);
    // Not for a moment may others read what they could not read before.
    await using file = await open(candidate, "wx", old === null ? NEW_FILE_MODE : 0o600);
    try {
      await file.writeFile(text);
      if (old !== null) await keepOwner(file, old);
      await file.sync();
      return candidate;
    } catch (error) {
      await rm(candidate, { force: true });
      throw error;
    }
  }

  async function stage(text: string): Promise<StagedFile> {
    await sweep(path);
    const candidate = await write(text);
    const commit = async (): Promise<void> => {
      await (await open(pending, "w")).close();
      await rename(candidate, path);
      await syncFolder(dirname(path));
    };
    return {
      path: candidate,
      commit: () => attempt(path, commit),
      discard: () => rm(candidate, { force: true }),
    };
  }

  return {
    path,
    read: () => attempt(path, () => readIfThere(path)),
    readGood: async () => {
      const isPending = (await readIfThere(pending)) !== null;
      return readIfThere(isPending ? good : path);
    },
    stage: (text) => attempt(path, () => stage(text)),
    proven: async (text) => {
      await rename(await write(text), good);
      await rm(pending, { force: true });
    },
  };
}

async function sweep(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.next.`)) continue;
    const file = join(dirname(path), name);
    const age = Date.now() - ((await stat(file).catch(() => null))?.mtimeMs ?? Date.now());
    if (age > STALE_MS) await rm(file, { force: true });
  }
}

async function keepOwner(file: FileHandle, old: { mode: number; uid: number; gid: number }): Promise<void> {
  const now = await file.stat();
  if (now.uid !== old.uid || now.gid !== old.gid) await file.chown(old.uid, old.gid).catch(() => undefined);
  await file.chmod(old.mode & 0o7777);
}

/**
 * Without this a power cut may bring the old name back, although the file itself is on disk. Some file systems have
 * nothing to sync there and say so; the rename is done all the same.
 */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EINVAL" && error.code !== "ENOTSUP") throw error;
  });
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const options = { stage: "commit", kind: "failed", cause } as const;
    throw new HaproxyError(explain(path, cause as NodeJS.ErrnoException), options);
  }
}

/** What the operator can do about a file that could not be replaced. */
function explain(path: string, error: NodeJS.ErrnoException): string {
  const folder = dirname(path);
  switch (error.code) {
    case "EBUSY":
      return `${path} is a bind mount of a single file, which cannot be replaced: mount its folder ${folder} instead`;
    case "EISDIR":
      return `${path} is a folder: set haproxy-config to the file that HAProxy reads`;
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

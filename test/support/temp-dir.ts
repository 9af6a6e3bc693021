import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed, with all that is in it, when the test ends. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** Makes a folder with a short path: the address of a unix socket may have 107 bytes at most. */
export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), "rc-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file as a whole: whoever reads it, and a machine that loses its power, finds the old content or the new.
 * @param options.mode of the new file.
 * @throws Error of the file system; the old file then still stands.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: { mode: number },
): Promise<void> {
  const beside = `${path}.next.${randomUUID().slice(0, 8)}`;
  try {
    await using file = await open(beside, "wx", options.mode);
    await file.writeFile(content);
    await file.sync();
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
  await using folder = await open(dirname(path), "r");
  // Some file systems have nothing to sync there and say so; the rename is done all the same.
  await folder.sync().catch(() => undefined);
}

import { existsSync } from "node:fs";
import { chmod, mkdir, rename } from "node:fs/promises";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";

/** Path of an archive that is kept in the lab; `make` writes it when it is not there yet. */
export async function cachedArchive(name: string, make: (file: string) => Promise<void>): Promise<string> {
  const file = labPath("images", name);
  if (existsSync(file)) return file;
  return withLock(`image-${name}`, async () => {
    if (existsSync(file)) return file;
    await mkdir(labPath("images"), { recursive: true });
    await make(`${file}.new`);
    await chmod(`${file}.new`, 0o644);
    await rename(`${file}.new`, file);
    return file;
  });
}

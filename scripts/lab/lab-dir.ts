import { join, resolve } from "node:path";

/**
 * Absolute path of a file or folder below the lab: the git-ignored place for everything that the set-up builds
 * (HAProxy binaries, images, the Docker engine's data). `ROLLCALL_LAB_DIR` moves it elsewhere.
 */
export function labPath(...parts: string[]): string {
  const root = process.env["ROLLCALL_LAB_DIR"] ?? join(import.meta.dirname, "../../.lab");
  return resolve(root, ...parts);
}

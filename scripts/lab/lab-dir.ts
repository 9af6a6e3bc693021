import { join, resolve } from "node:path";

/**
 * Absolute path of a file or folder below the lab: the git-ignored place for everything that the set-up builds
 * (HAProxy binaries, images, the Docker engine's data). `LAB_DIR` moves it elsewhere; it does not begin
 * with ROLLCALL_, since Rollcall refuses variables of that kind that it does not know.
 */
export function labPath(...parts: string[]): string {
  const root = process.env["LAB_DIR"] ?? join(import.meta.dirname, "../../.lab");
  return resolve(root, ...parts);
}

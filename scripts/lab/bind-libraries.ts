import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/**
 * Makes a program of another Debian release use the C library and all other libraries that were unpacked with it.
 * They are written into the program itself: with a wrapper script, or started through the loader, it could not
 * execute itself again, as HAProxy's master and runc do.
 * @param root Folder with the unpacked packages, `patchelf` among them.
 */
export async function bindLibraries(root: string, program: string): Promise<void> {
  const libraries = await libraryFolders(root);
  const loader = await findLoader(libraries);
  // patchelf comes from that release too, but may be started through the loader.
  const patchelf = ["--library-path", libraries.join(":"), join(root, "usr/bin/patchelf")];
  const settings = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries.join(":")];
  await execa(loader, [...patchelf, ...settings, program]);
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const base of ["usr/lib", "lib"]) {
    const names = await readdir(join(root, base)).catch(() => []);
    folders.push(
      ...names.filter((name) => name.endsWith("-linux-gnu")).map((name) => join(root, base, name)),
    );
  }
  return folders;
}

async function findLoader(libraries: readonly string[]): Promise<string> {
  for (const folder of libraries) {
    const name = (await readdir(folder)).find((file) => /^ld-linux.*\.so\.\d$/.test(file));
    if (name !== undefined) return join(folder, name);
  }
  throw new Error("The C library that was unpacked has no loader.");
}

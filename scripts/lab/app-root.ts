import { copyFile, mkdir, realpath, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cachedArchive } from "./cached-archive.ts";
import { unpackPackages } from "./debian.ts";
import { step } from "./progress.ts";

// What health checks and `docker exec` in a test want.
const commands = ["sh", "wget", "cat", "ls", "ps", "kill", "sleep", "env", "id", "hostname", "ip", "nc"];

/**
 * A tar archive with nothing but Node, the libraries that it needs, busybox and one script as /server.ts; made in
 * about 2 s and quick to import, also into an engine that has nothing yet.
 */
export function appRoot(recipe: string, script: string): Promise<string> {
  return cachedArchive(`app-${recipe}.tar`, async (file) => {
    const root = `${file}.root`;
    await step("images: putting the test application together", async () => {
      await unpackPackages({ suite: "bookworm", packages: ["busybox-static"], into: root, only: true });
      for (const command of commands) await symlink("busybox", join(root, "bin", command));
      await copyInto(root, process.execPath, "/usr/bin/node");
      for (const library of await librariesOf(process.execPath)) await copyInto(root, library, library);
      await copyInto(root, script, "/server.ts");
      await execa("tar", ["--owner=0", "--group=0", "--exclude=./usr/share", "-C", root, "-cf", file, "."]);
    });
    await rm(root, { recursive: true });
  });
}

async function copyInto(root: string, source: string, target: string): Promise<void> {
  await mkdir(dirname(join(root, target)), { recursive: true });
  await copyFile(await realpath(source), join(root, target));
}

async function librariesOf(binary: string): Promise<string[]> {
  const { stdout } = await execa("ldd", [binary]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { bindLibraries } from "./bind-libraries.ts";
import { unpackPackages } from "./debian.ts";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

// The engine and its parts, the command line, and the libraries and tools that make runc run on an older release.
const engine = ["docker.io", "docker-cli", "containerd", "runc", "tini"];
const plugins = ["docker-compose", "docker-buildx"];
const libraries = ["libc6", "libseccomp2", "libgcc-s1", "libstdc++6", "patchelf"];

/** Folder with the settings of the `docker` command that hold the plugins. The user's own stay untouched. */
export const dockerConfig = labPath("docker-config");

/** PATH on which the lab's Docker programs, if there are any, come first. */
export function dockerPath(): string {
  return [labPath("docker/usr/bin"), labPath("docker/usr/sbin"), process.env["PATH"]].join(":");
}

/**
 * Puts Docker into the lab: engine, command line, Compose and buildx, all from Debian trixie, whatever this machine's
 * release is. Nothing is installed on the machine and no service is started.
 */
export async function dockerPrograms(): Promise<void> {
  const root = labPath("docker");
  if (existsSync(root)) return;
  await withLock("docker-programs", async () => {
    if (existsSync(root)) return;
    await step("docker: unpacking engine, compose and buildx from Debian trixie", async () => {
      const unfinished = `${root}.unfinished`;
      const packages = [...engine, ...plugins, ...libraries];
      await unpackPackages({ suite: "trixie", packages, into: unfinished, only: true });
      await rename(unfinished, root);
      await bindLibraries(root, join(root, "usr/sbin/runc"));
      await execa(join(root, "usr/sbin/runc"), ["--version"]);
      await linkPlugins(join(root, "usr/libexec/docker/cli-plugins"));
    }).catch(async (error: unknown) => {
      await rm(root, { recursive: true, force: true });
      throw error;
    });
  });
}

async function linkPlugins(source: string): Promise<void> {
  const target = join(dockerConfig, "cli-plugins");
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source)) await symlink(join(source, name), join(target, name));
}

import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { unpackPackages } from "./debian.ts";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

const plugins = labPath("docker-config", "cli-plugins");

/** Puts Docker Compose v2 and buildx where `dockerEnv` points to. The user's own Docker settings stay untouched. */
export async function installPlugins(): Promise<void> {
  const isThere = (): boolean =>
    ["docker-compose", "docker-buildx"].every((name) => existsSync(join(plugins, name)));
  if (isThere()) return;
  await withLock("docker-plugins", async () => {
    if (isThere()) return;
    await step("docker compose and buildx: unpacking from Debian trixie", async () => {
      const folder = labPath("docker-plugins");
      // These are single programs that need nothing but an ordinary C library.
      const packages = ["docker-compose", "docker-buildx"];
      await unpackPackages({ suite: "trixie", packages, into: folder, only: true });
      const source = join(folder, "usr/libexec/docker/cli-plugins");
      await mkdir(plugins, { recursive: true });
      for (const name of await readdir(source)) await copyFile(join(source, name), join(plugins, name));
      await rm(folder, { recursive: true });
    });
  });
}

/** Environment for the `docker` command, with Compose and buildx, against one engine. */
export function dockerEnv(engine: { dockerHost: string }): Record<string, string> {
  return { DOCKER_HOST: engine.dockerHost, DOCKER_CONFIG: labPath("docker-config") };
}

/** Runs the `docker` command against an engine and resolves with what it prints on stdout. */
export async function docker(engine: { dockerHost: string }, ...args: string[]): Promise<string> {
  return (await execa("docker", args, { env: dockerEnv(engine) })).stdout;
}

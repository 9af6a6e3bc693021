import { existsSync } from "node:fs";
import { execa } from "execa";
import { dockerConfig, dockerPath } from "./docker-programs.ts";

/** Environment for the `docker` command, with Compose and buildx, against one engine. */
export function dockerEnv(engine: { dockerHost: string }): Record<string, string> {
  const config: Record<string, string> = existsSync(dockerConfig) ? { DOCKER_CONFIG: dockerConfig } : {};
  return { ...config, DOCKER_HOST: engine.dockerHost, PATH: dockerPath() };
}

/** Runs the `docker` command against an engine and resolves with what it prints on stdout. */
export async function docker(engine: { dockerHost: string }, ...args: string[]): Promise<string> {
  return (await execa("docker", args, { env: dockerEnv(engine) })).stdout;
}

import { execa } from "execa";
import { dockerEnv } from "./docker-cli.ts";
import { ensureImages, imageNames, type LocalImage } from "./images.ts";

// The variables that Dockerfiles and Compose files read, and the official image that tells whether the lab's own is
// needed. The etcd project's image lives elsewhere, and is reached where the others are.
const variables: Record<string, { image: LocalImage; official: string }> = {
  HAPROXY_IMAGE: { image: "haproxy", official: "haproxy:3.2" },
  NODE_IMAGE: { image: "node", official: "node:24-trixie-slim" },
  ETCD_IMAGE: { image: "etcd", official: "haproxy:3.2" },
};

/**
 * Environment for `docker compose` and build arguments: names the lab's own image wherever the official one is
 * neither on the engine nor to be had from its registry. What is set already stays as it is.
 */
export async function imageEnv(engine: { dockerHost: string }): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  const wanted = Object.entries(variables).filter(([name]) => process.env[name] === undefined);
  const found = await Promise.all(wanted.map(([, { official }]) => isAvailable(engine, official)));
  for (const [n, [name, { image }]] of wanted.entries()) {
    if (found[n] === true) continue;
    await ensureImages(engine, [image]);
    env[name] = imageNames[image];
  }
  return env;
}

/**
 * Environment for the `docker` command with Compose: the engine, the plugins, the images, and the engine's socket for
 * Compose files that mount it.
 */
export async function composeEnv(engine: { dockerHost: string }): Promise<Record<string, string>> {
  const socket = /^unix:\/\/(.+)$/.exec(engine.dockerHost)?.[1];
  const mounted = socket === undefined ? {} : { DOCKER_SOCKET: socket };
  return { ...dockerEnv(engine), ...(await imageEnv(engine)), ...mounted };
}

async function isAvailable(engine: { dockerHost: string }, image: string): Promise<boolean> {
  const docker = async (timeout: number, ...args: string[]): Promise<boolean> => {
    const result = await execa("docker", args, { env: dockerEnv(engine), reject: false, timeout });
    return !result.failed;
  };
  return (await docker(5_000, "image", "inspect", image)) || docker(5_000, "manifest", "inspect", image);
}

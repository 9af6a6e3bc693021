import { execa } from "execa";
import { docker } from "./docker-cli.ts";
import { dockerPrograms } from "./docker-programs.ts";
import { attachEngine, startEngine, type Engine } from "./engine.ts";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { ready, step } from "./progress.ts";

/** Where a Docker engine is reached, and whether it is the lab's own or one that this machine had before. */
export interface SharedEngine {
  kind: "lab" | "machine";
  /** "unix:///var/run/docker.sock" */
  dockerHost: string;
}

const options = { name: "lab", dir: labPath("engine"), detached: true };

/**
 * The engine that demo, bench and tests share: the lab's own when it runs, else the machine's ordinary one, else the
 * lab's own, which is started and goes on running until `stopSharedEngine`.
 */
export function sharedEngine(): Promise<SharedEngine> {
  return withLock("engine", async () => {
    const lab = labEngine();
    if (lab.running()) return { kind: "lab", dockerHost: lab.dockerHost };
    const dockerHost = process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
    if (await isReachable(dockerHost)) return { kind: "machine", dockerHost };
    await dockerPrograms();
    await step("docker engine: starting one of our own", () => startEngine(options));
    return { kind: "lab", dockerHost: lab.dockerHost };
  });
}

/** The lab's own engine for this checkout, whether it runs or not. */
export function labEngine(): Engine {
  return attachEngine(options);
}

/** Ends the lab's own engine, its containers and its network. The images stay in the lab for the next time. */
export async function stopSharedEngine(): Promise<void> {
  const lab = labEngine();
  if (!lab.running()) return ready("docker engine: does not run");
  await step("docker engine: stopping", async () => {
    const containers = (await docker(lab, "ps", "-aq")).split("\n").filter(Boolean);
    if (containers.length > 0) await docker(lab, "rm", "-fv", ...containers);
    await docker(lab, "network", "prune", "-f");
    await lab.leave();
  });
}

// Demo and tests need Compose v2 too; where it is missing, the lab's own engine comes with it.
async function isReachable(dockerHost: string): Promise<boolean> {
  const works = async (...args: string[]): Promise<boolean> => {
    const env = { DOCKER_HOST: dockerHost };
    return !(await execa("docker", args, { env, reject: false, timeout: 3000 })).failed;
  };
  return (await works("version")) && works("compose", "version");
}

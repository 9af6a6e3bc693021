import { execa } from "execa";
import { dockerEnv } from "../lab/docker-cli.ts";
import { labEngine } from "../lab/shared-engine.ts";

const USUAL = "unix:///var/run/docker.sock";

/** A Docker engine that runs already, or why none is used. Nothing is started. */
export async function runningEngine(): Promise<{ dockerHost: string } | { reason: string }> {
  const lab = labEngine();
  const dockerHost = lab.running() ? lab.dockerHost : (process.env["DOCKER_HOST"] ?? USUAL);
  if (!dockerHost.startsWith("unix://"))
    return { reason: `${dockerHost} is not on this machine, so its containers cannot be reached from here` };
  const args = ["version", "--format", "{{.Server.Version}}"];
  const asked = await execa("docker", args, { env: dockerEnv({ dockerHost }), reject: false, timeout: 3000 });
  if (!asked.failed) return { dockerHost };
  return {
    reason: asked.code === "ENOENT" ? "there is no docker command" : `no engine answers at ${dockerHost}`,
  };
}

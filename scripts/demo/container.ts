import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Child } from "../lab/child.ts";
import { dockerEnv } from "../lab/docker-cli.ts";
import { afterDeath } from "./after-death.ts";
import { ensureImages, imageNames } from "../lab/images.ts";
import { change, type Measured, showBalance, type Stage, settle } from "./steps.ts";

const END_MS = 700;

/** A container comes, registers itself by its labels, and is stopped again. */
export async function showContainer(
  stage: Stage,
  given: { docker: { dockerHost: string; labelPrefix: string }; dir: string; others: readonly string[] },
): Promise<readonly Measured[]> {
  const { docker, dir, others } = given;
  const { out } = stage;
  await ensureImages(docker, ["app"]);
  const name = "box1";
  const container = `${docker.labelPrefix}-${name}`;
  const labels = [`${docker.labelPrefix}.enable=true`, `${docker.labelPrefix}.name=${name}`];
  const words = ["--rm", "--name", container, "-e", `NAME=${name}`];
  const args = ["run", ...words, ...labels.flatMap((label) => ["--label", label]), imageNames.app];
  const env = dockerEnv(docker);
  out.line("The usual prefix of the labels is rollcall; this one keeps other containers out of the demo.");
  await using cleanup = new AsyncDisposableStack();
  const stop = new AbortController();
  const comes = await change(
    { ...stage, signal: AbortSignal.any([stage.signal, stop.signal]) },
    {
      name,
      kind: "comes",
      what: `docker run ${name} -> its first answer`,
      background: true,
      act: () => {
        out.command(`docker ${args.join(" ")}`);
        const logFile = join(dir, "docker.log");
        const otherwise = afterDeath(["docker", "rm", "-fv", container], env);
        cleanup.defer(otherwise.cancel);
        const run = new Child({ command: ["docker", ...args], env, logFile, whenParentDies: "TERM" });
        cleanup.defer(() => end(run, container, env));
        void run.exited.then(() => stop.abort(new Error(`docker run: ${run.log()}`)));
        return Promise.resolve();
      },
    },
  );
  await settle(stage);
  await showBalance(stage, [...others, name]);
  const goes = await change(stage, {
    name,
    kind: "goes",
    what: `docker stop ${name} -> its last answer`,
    act: async () => {
      out.command(`docker stop ${container}`);
      await execa("docker", ["stop", container], { env });
    },
  });
  return [comes, goes];
}

/** Ends the container. One that was only created when `docker run` was stopped would stay. */
async function end(run: Child, container: string, env: Record<string, string>): Promise<void> {
  if (!run.alive) return;
  run.signal("SIGTERM");
  if ((await Promise.race([run.exited, sleep(END_MS, "late" as const)])) !== "late") return;
  await execa("docker", ["rm", "-fv", container], { env, reject: false, timeout: END_MS });
  await run.kill();
}

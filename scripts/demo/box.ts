import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Child } from "../lab/child.ts";
import { dockerEnv } from "../lab/docker-cli.ts";
import { imageNames } from "../lab/images.ts";
import { afterDeath } from "./after-death.ts";

/** A container that is there only while the demo is, whatever ends the demo. */
export interface Box extends AsyncDisposable {
  readonly runCommand: string;
  readonly stopCommand: string;
  /** Starts it; the signal aborts when it ends, with its output as the reason. */
  run(): AbortSignal;
  stop(signal: AbortSignal): Promise<void>;
}

const END_MS = 700;

export function box(given: {
  docker: { dockerHost: string; labelPrefix: string };
  name: string;
  dir: string;
}): Box {
  const { docker, name, dir } = given;
  const { labelPrefix } = docker;
  const container = `${labelPrefix}-${name}`;
  const labels = ["--label", `${labelPrefix}.enable=true`, "--label", `${labelPrefix}.name=${name}`];
  const words = ["run", "--rm", "--name", container, "-e", `NAME=${name}`, ...labels, imageNames.app];
  const env = dockerEnv(docker);
  const cleanup = new AsyncDisposableStack();

  /** One that was only created when `docker run` was told to end would stay. */
  async function end(process: Child): Promise<void> {
    if (!process.alive) return;
    process.signal("SIGTERM");
    if ((await Promise.race([process.exited, sleep(END_MS, "late" as const)])) !== "late") return;
    await execa("docker", ["rm", "-fv", container], { env, reject: false, timeout: END_MS });
    await process.kill();
  }

  return {
    runCommand: `docker ${words.join(" ")}`,
    stopCommand: `docker stop ${container}`,
    run() {
      cleanup.defer(afterDeath(["docker", "rm", "-fv", container], env).cancel);
      // In the foreground: it passes on to the container the signal that ends it.
      const command = ["docker", ...words] as const;
      const logFile = join(dir, "docker.log");
      const process = new Child({ command: [...command], env, logFile, whenParentDies: "TERM" });
      cleanup.defer(() => end(process));
      const ended = new AbortController();
      void process.exited.then(() => ended.abort(new Error(`docker run has ended: ${process.log()}`)));
      return ended.signal;
    },
    stop: async (signal) => void (await execa("docker", ["stop", container], { env, cancelSignal: signal })),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

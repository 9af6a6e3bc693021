import { randomBytes } from "node:crypto";
import { docker, dockerEnv } from "../../scripts/lab/docker-cli.ts";
import { ensureImages, imageNames } from "../../scripts/lab/images.ts";
import { sharedEngine } from "../../scripts/lab/shared-engine.ts";
import { testContainer, type TestContainer } from "./test-container.ts";

export type { TestContainer };

export interface ContainerOptions {
  /** "local/app:1", the application of the lab, when not given. */
  image?: string;
  name?: string;
  labels?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** Networks made by `network`; the engine's default bridge when not given. "host" and "none" work too. */
  networks?: readonly string[];
  /** Have the engine ask /healthz every half second; healthy after the first good, unhealthy after two bad answers. */
  healthcheck?: boolean;
  /** More flags of `docker run`, for instance ["-p", "127.0.0.1:0:8000"]. */
  flags?: readonly string[];
  command?: readonly string[];
}

/** Containers and networks on one engine that all go away together. */
export interface DockerLab extends AsyncDisposable {
  readonly dockerHost: string;
  /** Every container carries the label rollcall.test=ID. */
  readonly id: string;
  /** Makes a bridge network and resolves with its name. */
  network(): Promise<string>;
  /** Starts a container, and waits for nothing but the start. */
  run(options?: ContainerOptions): Promise<TestContainer>;
  /** Runs the `docker` command against this engine. */
  docker(...args: string[]): Promise<string>;
}

/** Prepares containers for one test, on the shared engine of the lab or on the one given. Makes the application's image first. */
export async function dockerLab(engine?: { dockerHost: string }): Promise<DockerLab> {
  const { dockerHost } = engine ?? (await sharedEngine());
  await ensureImages({ dockerHost }, ["app"]);
  const id = randomBytes(4).toString("hex");
  const mark = `rollcall.test=${id}`;
  const run = (...args: string[]): Promise<string> => docker({ dockerHost }, ...args);
  const list = async (...args: string[]): Promise<string[]> =>
    (await run(...args, "--filter", `label=${mark}`, "-q")).split("\n").filter(Boolean);
  let networks = 0;
  return {
    dockerHost,
    id,
    docker: run,
    async network() {
      const name = `rc-${id}-${++networks}`;
      await run("network", "create", "--label", mark, name);
      return name;
    },
    async run(options = {}) {
      const container = testContainer(run, await run("run", "-d", ...runFlags(options, mark)));
      for (const network of options.networks?.slice(1) ?? []) await container.connect(network);
      return container;
    },
    async [Symbol.asyncDispose]() {
      // An engine that is down at the end of a test was the test's own, and ends its containers itself.
      const containers = await list("ps", "-a").catch(() => null);
      if (containers === null) return;
      if (containers.length > 0) await run("rm", "-fv", ...containers);
      const made = await list("network", "ls");
      if (made.length > 0) await run("network", "rm", ...made);
    },
  };
}

/**
 * Environment variables that point `testcontainers` at an engine of the lab; assign them to `process.env` before it is
 * imported. Its reaper is switched off since its image would have to be pulled: dispose of everything yourself.
 */
export function testcontainersEnv(engine: { dockerHost: string }): Record<string, string> {
  return { ...dockerEnv(engine), TESTCONTAINERS_RYUK_DISABLED: "true" };
}

function runFlags(options: ContainerOptions, mark: string): string[] {
  const { image = imageNames.app, labels = {}, env = {}, command = [] } = options;
  const pairs = (flag: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  const network = options.networks?.[0];
  const ask = "wget -q -O /dev/null http://127.0.0.1:${PORT:-8000}/healthz";
  const timing = ["--health-interval", "500ms", "--health-timeout", "2s", "--health-retries", "2"];
  return [
    "--label",
    mark,
    ...pairs("--label", labels),
    ...pairs("-e", env),
    ...(options.name === undefined ? [] : ["--name", options.name]),
    ...(network === undefined ? [] : ["--network", network]),
    ...(options.healthcheck === true ? ["--health-cmd", ask, ...timing] : []),
    ...(options.flags ?? []),
    image,
    ...command,
  ];
}

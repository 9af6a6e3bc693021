import { randomBytes } from "node:crypto";
import { docker } from "../../scripts/lab/docker-cli.ts";
import { imageNames } from "../../scripts/lab/images.ts";

/** Containers and networks of one test on a Docker engine; all of them go when it ends. */
export interface DockerContainers extends AsyncDisposable {
  /** A label prefix that no other test uses, so that tests can share an engine. */
  readonly prefix: string;
  /** Runs `docker` with these arguments and resolves with what it prints. */
  cli(...args: string[]): Promise<string>;
  /** Starts a container that sleeps, and resolves with its id. */
  run(given?: RunOptions): Promise<string>;
  /** Creates it only. */
  create(given?: RunOptions): Promise<string>;
  /** Creates a bridge network and resolves with its name. */
  network(): Promise<string>;
}

export interface RunOptions {
  /** Without the prefix; `enable` is there anyway. */
  labels?: Readonly<Record<string, string>>;
  /** Name of the server; the label `name`. */
  name?: string;
  /** Name of the container; a random one when not given. */
  container?: string;
  /** More flags of `docker run`. */
  flags?: readonly string[];
  /** A shell script in place of the sleep. It is process 1: a signal that it does not trap has no effect on it. */
  script?: string;
}

const SLEEP = "trap 'exit 0' TERM; while :; do /bin/busybox sleep 1000 & wait; done";

/** Prepares a test on an engine that has the lab's application image. */
export function dockerContainers(engine: { dockerHost: string }): DockerContainers {
  const prefix = `t${randomBytes(4).toString("hex")}`;
  const cli = (...args: string[]): Promise<string> => docker(engine, ...args);
  const networks: string[] = [];
  const start = async (command: readonly string[], given: RunOptions): Promise<string> => {
    const name = given.name === undefined ? {} : { name: given.name };
    const labels = Object.entries({ enable: "true", ...name, ...given.labels });
    const flags = labels.flatMap(([label, value]) => ["--label", `${prefix}.${label}=${value}`]);
    const container = given.container === undefined ? [] : ["--name", given.container];
    const shell = ["--entrypoint", "/bin/busybox", imageNames.app, "sh", "-c", given.script ?? SLEEP];
    // The mark is for the clean-up, also of containers that have no other label.
    return cli(...command, "--label", `${prefix}=`, ...container, ...flags, ...(given.flags ?? []), ...shell);
  };
  return {
    prefix,
    cli,
    run: (given = {}) => start(["run", "-d"], given),
    create: (given = {}) => start(["create"], given),
    network: async () => {
      const name = `${prefix}-${networks.length}`;
      networks.push(name);
      await cli("network", "create", name);
      return name;
    },
    [Symbol.asyncDispose]: async () => {
      const left = (await cli("ps", "-aq", "--filter", `label=${prefix}`)).split("\n").filter(Boolean);
      if (left.length > 0) await cli("rm", "-fv", ...left);
      if (networks.length > 0) await cli("network", "rm", ...networks);
    },
  };
}

/** A container that needs no network, and so starts faster: its server's address stands in a label. */
export const withoutNetwork: RunOptions = {
  labels: { address: "127.0.0.9" },
  flags: ["--network", "none"],
};

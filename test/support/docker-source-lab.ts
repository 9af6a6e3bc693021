import { dockerSource, type DockerSourceOptions } from "../../src/discovery/docker.ts";
import type { Source } from "../../src/discovery/source.ts";
import { dockerLab, type ContainerOptions, type DockerLab } from "./docker.ts";
import type { TestContainer } from "./test-container.ts";

/** A Docker lab, and the source under test; its label prefix is its own, so that tests can share an engine. */
export interface DockerSourceLab extends AsyncDisposable {
  readonly lab: DockerLab;
  readonly prefix: string;
  source(options?: SourceLabOptions): Source;
  /** Starts a container that sleeps until SIGTERM and is to be served as `name`. */
  serve(name: string, options?: ServeOptions): Promise<TestContainer>;
  /** The same labels, in full, for a container that is started in another way. */
  labels(name: string, labels?: Readonly<Record<string, string>>): Record<string, string>;
}

export interface SourceLabOptions extends Partial<DockerSourceOptions> {
  network?: string;
  /** Where the source finds the engine; the lab's socket when not given. */
  host?: string;
}

export interface ServeOptions extends Omit<ContainerOptions, "labels" | "command"> {
  /** Without the prefix. */
  labels?: Readonly<Record<string, string>>;
  /** Runs in place of the sleep as process 1: a signal that it does not trap has no effect. */
  script?: string;
}

export const BUSYBOX = ["--entrypoint", "/bin/busybox"];
export const SLEEP = "trap 'exit 0' TERM; /bin/busybox sleep 1000 & wait";

/** A container that needs no network, and so starts faster: its server's address stands in a label. */
export const WITHOUT_NETWORK: ServeOptions = {
  labels: { address: "127.0.0.9", port: "8000" },
  networks: ["none"],
};

export async function dockerSourceLab(engine?: { dockerHost: string }): Promise<DockerSourceLab> {
  const lab = await dockerLab(engine);
  const prefix = `t${lab.id}`;
  const labels = (name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const all = Object.entries({ enable: "true", name, ...more });
    return Object.fromEntries(all.map(([label, value]) => [`${prefix}.${label}`, value]));
  };
  return {
    lab,
    prefix,
    labels,
    source: (options = {}) =>
      dockerSource({
        connection: { host: options.host ?? lab.dockerHost },
        settings: {
          source: "docker",
          labelPrefix: prefix,
          enableByDefault: false,
          defaultBackend: "webserver",
          network: options.network ?? null,
        },
        now: () => performance.now(),
        ...options,
      }),
    serve: (name, { script = SLEEP, labels: more, ...options } = {}) =>
      lab.run({
        ...options,
        labels: labels(name, more),
        flags: [...BUSYBOX, ...(options.flags ?? [])],
        command: ["sh", "-c", script],
      }),
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Roster } from "./core/roster.ts";
import type { Source } from "./discovery/source.ts";
import { whenThere } from "./discovery/when-there.ts";
import { configFile } from "./haproxy/config-file.ts";
import { leaving } from "./haproxy/leaving.ts";
import type { ReloadOptions } from "./haproxy/reload.ts";
import type { Stamped } from "./core/stamp.ts";
import { haproxy, type Haproxy } from "./haproxy/haproxy.ts";
import type { Logger } from "./lib/logger.ts";
import { ownContainerId } from "./lib/own-container.ts";
import type { Config } from "./options.ts";
import { renderer, type Renderer } from "./render/renderer.ts";
import { stampRevision } from "./render/stamp-revision.ts";

/** The template that comes with Rollcall. */
export const DEFAULT_TEMPLATE = fileURLToPath(new URL("../templates/haproxy.cfg.eta", import.meta.url));
const DEFAULT_DOCKER_SOCKET = "/var/run/docker.sock";

export interface PartsOptions {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/** Options of the etcd source; null = etcd is off. */
export function etcdOptions({ config, log }: PartsOptions) {
  const endpoints = config["etcd-endpoints"];
  if (endpoints === null) return null;
  return {
    endpoints,
    prefix: config["etcd-prefix"],
    overridesPrefix: config["etcd-overrides-prefix"],
    watch: config.watch ?? [],
    defaultBackend: config["default-backend"],
    keepVanishedMs: config.hold,
    ...given({
      username: config["etcd-username"],
      passwordFile: config["etcd-password-file"],
      caFile: config["etcd-ca"],
      certFile: config["etcd-cert"],
      keyFile: config["etcd-key"],
    }),
    log: log.child({ source: "etcd" }),
  };
}

/** True when Docker is followed if there is an engine, and nobody said that there is one. */
export const isDockerOptional = (config: Config): boolean =>
  config.docker === "auto" && config["docker-host"] === null;

/** Options of the Docker source; null = Docker is off, or optional and its socket is not there. */
export function dockerOptions({ config }: PartsOptions) {
  if (config.docker === "off" || (isDockerOptional(config) && !existsSync(DEFAULT_DOCKER_SOCKET)))
    return null;
  return dockerAccess(config);
}

/**
 * Options of the Docker source of an agent, which has no other.
 * @throws Error when Docker is off.
 */
export function agentDockerOptions({ config }: PartsOptions) {
  if (config.docker === "off")
    throw new Error("docker is off, so there is nothing to register: set it to on");
  return dockerAccess(config);
}

function dockerAccess(config: Config) {
  const host = config["docker-host"] ?? DEFAULT_DOCKER_SOCKET;
  return {
    connection: {
      host,
      tlsVerify: config["docker-tls-verify"] === true ? "1" : "",
      certPath: config["docker-cert-path"] ?? undefined,
    },
    settings: {
      source: "docker",
      labelPrefix: config["label-prefix"],
      enableByDefault: config["docker-enable-default"],
      defaultBackend: config["default-backend"],
      network: config.network,
      foreign: {
        registrator: config["registrator-labels"],
        nginxProxy: config["nginx-proxy-labels"],
      },
    },
    selfId: ownContainerId({
      mountinfo: textOf("/proc/self/mountinfo"),
      cgroup: textOf("/proc/self/cgroup"),
      hostname: hostname(),
      dockerenv: existsSync("/.dockerenv"),
    }),
    swarm: config["docker-swarm"],
    // Drains are spans of time: a wall clock that somebody sets must neither end nor prolong them.
    now: () => performance.now(),
  };
}

/**
 * The sources that are switched on, in their order of precedence. Their libraries are loaded here and not before:
 * they are most of the time that a start takes.
 */
export async function sourcesOf(options: PartsOptions): Promise<readonly Source[]> {
  const sources: Source[] = [];
  const etcd = etcdOptions(options);
  if (etcd !== null) sources.push((await import("./discovery/etcd.ts")).etcdSource(etcd));
  const path = options.config["static-file"];
  if (path !== null) sources.push(await fileSourceOf(path, options.config));
  const docker = dockerOptions(options);
  if (docker !== null) sources.push((await import("./discovery/docker.ts")).dockerSource(docker));
  return sources;
}

/** The sources that a daemon follows: an engine that may come later is among them. */
export async function followedSources(options: PartsOptions): Promise<readonly Source[]> {
  const sources = await sourcesOf(options);
  const { config } = options;
  if (!isDockerOptional(config) || dockerOptions(options) !== null) return sources;
  const { dockerSource } = await import("./discovery/docker.ts");
  return [...sources, whenThere(dockerSource(dockerAccess(config)), DEFAULT_DOCKER_SOCKET)];
}

/** A source that reads servers from a YAML file. */
export async function fileSourceOf(path: string, config: Config): Promise<Source> {
  const { fileSource } = await import("./discovery/file.ts");
  return fileSource({ path, defaultBackend: config["default-backend"] });
}

/** The renderer, and the function that turns a roster into a candidate with its revision. */
export function rendererOf(options: PartsOptions): {
  renderer: Renderer;
  render: (roster: Roster) => Promise<Stamped>;
} {
  const { config, env } = options;
  const made = renderer({
    templateFile: config.template ?? DEFAULT_TEMPLATE,
    options: {
      defaultBackend: config["default-backend"],
      haproxySocket: config["haproxy-socket"],
      haproxyConfig: resolve(config["haproxy-config"]),
    },
    env,
    now: Date.now,
  });
  const enabled = config["revision-line"];
  return { renderer: made, render: async (roster) => stampRevision(await made.render(roster), { enabled }) };
}

/** How the running HAProxy is told to reload. */
export function reloadOptions(config: Config, kill: ReloadOptions["kill"]): ReloadOptions {
  return {
    socketPath: config["haproxy-socket"],
    masterSocketPath: config["haproxy-master-socket"],
    pidFile: config["haproxy-pid-file"],
    pid: config["haproxy-pid"],
    kill,
  };
}

export function haproxyOf({
  config,
  kill,
  log,
}: Pick<PartsOptions, "config" | "log"> & { kill: ReloadOptions["kill"] }): Haproxy {
  const reload = reloadOptions(config, kill);
  return haproxy({
    ...reload,
    binary: config["haproxy-bin"],
    file: configFile(config["haproxy-config"]),
    leaving: leaving({
      socketPath: reload.socketPath,
      timeoutMs: config["removal-timeout"],
      monotonicMs: () => performance.now(),
    }),
    admitChecked: config.admit === "checked",
    log,
  });
}

/** The version in package.json. */
export function rollcallVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** The same without what is null, for options that may be left out but not be null. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as never;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

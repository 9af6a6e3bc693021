import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { type AppServer, startApp } from "../../test/support/app-server.ts";
import { type EtcdServer, startEtcd } from "../../test/support/etcd-server.ts";
import { freePort } from "../../test/support/free-port.ts";
import { startHaproxy } from "../../test/support/haproxy-process.ts";
import { etcdBinaries } from "../lab/etcd.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import type { Output } from "./output.ts";

/** Everything that runs during the demo. */
export interface Parts extends AsyncDisposable {
  readonly etcd: EtcdServer;
  /** http://127.0.0.1:PORT of HAProxy's frontend. */
  readonly url: string;
  readonly daemon: Daemon;
  /** Web servers by name. */
  readonly apps: ReadonlyMap<string, AppServer>;
  /** Prints etcdctl's command line and runs it. */
  ctl(...args: string[]): Promise<void>;
  readonly configFile: string;
  /** Lines of a shell after which `etcdctl` and `bin/rollcall` work by hand. */
  readonly setUp: readonly string[];
}

const ROOT = join(import.meta.dirname, "../..");
const ROLLCALL = join(ROOT, "bin/rollcall");

export async function startParts(given: {
  dir: string;
  haproxy: string;
  /** Docker engine to follow, and the prefix of its containers' labels. */
  docker: { dockerHost: string; labelPrefix: string } | null;
  appNames: readonly string[];
  out: Output;
  signal: AbortSignal;
}): Promise<Parts> {
  const { dir, haproxy, docker, out, signal } = given;
  await using cleanup = new AsyncDisposableStack();

  const etcd = cleanup.use(await startEtcd({ dir: join(dir, "etcd") }));
  signal.throwIfAborted();
  out.command(`etcd --listen-client-urls http://${etcd.endpoint} ...`);

  const apps = new Map<string, AppServer>();
  for (const name of given.appNames) apps.set(name, cleanup.use(await startApp({ name })));
  for (const { name, address } of apps.values()) out.line(`web server ${name}: http://${address}`);

  const http = `127.0.0.1:${await freePort()}`;
  const bind = `127.0.0.1:${await freePort()}`;
  const configFile = join(dir, "rollcall.yaml");
  await writeFile(configFile, settings({ dir, haproxy, docker, http, etcd: etcd.endpoint }));
  const env = { HAPROXY_BIND: bind };
  const first = ["render", "--write", "--from", "/dev/null", "--config", configFile];
  out.command(`bin/rollcall ${first.join(" ")}`);
  await execa(ROLLCALL, first, { env, cancelSignal: signal });

  const haproxyConfig = join(dir, "haproxy.cfg");
  out.command(`haproxy -W -db -f ${haproxyConfig}`);
  cleanup.use(await startHaproxy({ version: { binary: haproxy }, configFile: haproxyConfig, dir }));
  signal.throwIfAborted();

  out.command(`bin/rollcall run --config ${configFile}`);
  const command = [ROLLCALL, "run", "--config", configFile] as const;
  const logFile = join(dir, "rollcall.log");
  const daemon = cleanup.use(startDaemon({ command: [...command], env, logFile, http, signal }));
  await daemon.ready();

  const { etcdctl } = await etcdBinaries();
  const owned = cleanup.move();
  return {
    etcd,
    url: `http://${bind}`,
    daemon,
    apps,
    ctl: async (...args) => {
      out.command(`etcdctl ${args.join(" ")}`);
      // Not etcd.ctl: etcdctl waits for an etcd that is gone, which Ctrl-C on a terminal may have ended first.
      const variables = { ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.endpoint };
      await execa(etcdctl, args, { env: variables, cancelSignal: signal });
    },
    configFile: haproxyConfig,
    setUp: [
      `cd ${ROOT}`,
      `export PATH=${dirname(etcdctl)}:$PATH ETCDCTL_API=3 ETCDCTL_ENDPOINTS=${etcd.endpoint}`,
      `export HAPROXY_BIND=${bind} ROLLCALL_CONFIG=${configFile}`,
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Rollcall's configuration file. */
function settings(given: {
  dir: string;
  haproxy: string;
  docker: { dockerHost: string; labelPrefix: string } | null;
  http: string;
  etcd: string;
}): string {
  const { dir, haproxy, docker, http, etcd } = given;
  const engine = docker && { "docker-host": docker.dockerHost, "label-prefix": docker.labelPrefix };
  const values = {
    "etcd-endpoints": `http://${etcd}`,
    docker: docker === null ? "off" : "on",
    ...engine,
    "haproxy-bin": haproxy,
    "haproxy-config": join(dir, "haproxy.cfg"),
    "haproxy-socket": join(dir, "admin.sock"),
    http,
    "log-format": "text",
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  return lines.join("");
}

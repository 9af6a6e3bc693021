import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { haproxyBinary } from "../scripts/lab/haproxy.ts";
import { freePort } from "../test/support/free-port.ts";
import { type HaproxyProcess, startHaproxy } from "../test/support/haproxy-process.ts";
import { rollcall } from "../test/support/rollcall-process.ts";
import { type Agent, makeAgent } from "./agent.ts";
import { type Apps, makeApps } from "./apps.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Excuses, excuses, watchOwnPauses } from "./excuses.ts";
import { type Operator, operator } from "./operator.ts";
import type { Cast } from "./rounds.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";
import { type Supervised, superviseRollcall } from "./supervise-rollcall.ts";

export const HAPROXY_VERSION = "3.0";
const OPERATORS = 12;
const CONTAINERS_OF_A_HOST = 8;
/** Two places for each operator's server, which move between them. */
const PLACES = 2;

/** All parts that there are, on this machine. */
export interface Lab extends AsyncDisposable {
  readonly dir: string;
  readonly url: string;
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly haproxy: HaproxyProcess;
  readonly rollcall: Supervised;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly apps: Apps;
  readonly stateDisk: SmallDisk;
  readonly configDisk: SmallDisk;
  readonly excuses: Excuses;
  readonly cast: Cast;
  config(): string;
}

/** The host that a container is on: `a1` is one of host a. */
export const hostOf = (container: string): string => container.slice(0, 1);

const cast = (apps: Apps): Cast => ({
  operators: numbered("web", OPERATORS),
  containers: [...numbered("a", CONTAINERS_OF_A_HOST), ...numbered("b", CONTAINERS_OF_A_HOST)],
  placesOf: (name) => apps.names.filter((app) => app.split("-")[0] === name).map(apps.place),
});

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}${number}`);

/**
 * Starts all parts; no keys are written yet.
 * @param options.dir A folder that exists and goes with the run.
 * @param options.say is told of what should not happen.
 */
export async function startLab(options: { dir: string; say: (problem: string) => void }): Promise<Lab> {
  const { dir } = options;
  await using cleanup = new AsyncDisposableStack();
  const [stateDisk, configDisk] = [join(dir, "state"), join(dir, "etc")].map((path) =>
    cleanup.use(smallDisk(path)),
  ) as [SmallDisk, SmallDisk];
  const names = numbered("web", OPERATORS).flatMap((name) => numbered(`${name}-`, PLACES));
  const others = ["api0", ...numbered("a", CONTAINERS_OF_A_HOST), ...numbered("b", CONTAINERS_OF_A_HOST)];
  const apps = cleanup.use(await makeApps([...names, ...others]));
  for (const name of [...names, "api0"]) await apps.start(name);
  mkdirSync(join(dir, "etcd"));
  const cluster = cleanup.use(await startCluster(join(dir, "etcd")));
  const port = await freePort();
  process.env["HAPROXY_BIND"] = `127.0.0.1:${port}`;
  const configFile = join(configDisk.path, "haproxy.cfg");
  const rollcallOptions = {
    "etcd-endpoints": cluster.endpoints.join(","),
    docker: "off",
    "haproxy-bin": await haproxyBinary(HAPROXY_VERSION),
    "haproxy-config": configFile,
    "haproxy-socket": join(dir, "admin.sock"),
    "state-dir": join(stateDisk.path, "rollcall"),
    "log-level": "info",
  };
  const flags = Object.entries(rollcallOptions).flatMap(([name, value]) => [`--${name}`, value]);
  const first = await rollcall(["render", "--write", "--from", "/dev/null", ...flags]);
  if (first.code !== 0) throw new Error(`rollcall render: ${first.stderr}`);
  const haproxy = cleanup.use(
    await startHaproxy({ version: HAPROXY_VERSION, configFile, dir, supervise: true }),
  );
  const excused = excuses();
  cleanup.use(watchOwnPauses(excused));
  const daemon = cleanup.use(await superviseRollcall({ dir, options: rollcallOptions, say: options.say }));
  const agents = new Map<string, Agent>();
  for (const host of ["a", "b"]) agents.set(host, cleanup.use(makeAgent(host, cluster.endpoints)));
  const url = `http://127.0.0.1:${port}`;
  const owned = cleanup.move();
  return {
    dir,
    url,
    cluster,
    operator: operator(cluster.up),
    haproxy,
    rollcall: daemon,
    agents,
    apps,
    stateDisk,
    configDisk,
    excuses: excused,
    cast: cast(apps),
    config: () => readFileSync(configFile, "utf8"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

import { readFileSync } from "node:fs";
import { request as requestOf } from "node:http";
import { join } from "node:path";
import { haproxyBinary, type HaproxyVersion } from "../../scripts/lab/haproxy.ts";
import { type AppServer, startApp } from "./app-server.ts";
import { type EtcdServer, startEtcd } from "./etcd-server.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { type HaproxyProcess, startHaproxy } from "./haproxy-process.ts";
import { rollcall, type RollcallProcess, startRollcall } from "./rollcall-process.ts";
import { tempDir } from "./temp-dir.ts";

export interface StackOptions {
  version: HaproxyVersion;
  /** Reload over the master's socket instead of by SIGHUP. */
  masterSocket?: boolean;
  /** Further options of the daemon. */
  options?: Readonly<Record<string, string>>;
  /** Start the daemon too; true when not given. */
  daemon?: boolean;
  etcd?: EtcdServer;
}

/** One real etcd, HAProxy and Rollcall that belong together, and application servers beside them. */
export interface Stack extends AsyncDisposable {
  readonly dir: string;
  readonly etcd: EtcdServer;
  readonly haproxy: HaproxyProcess;
  readonly daemon: RollcallProcess;
  /** http://127.0.0.1:PORT of HAProxy's frontend. */
  readonly url: string;
  readonly configFile: string;
  /** The options with which the daemon was started; for other commands. */
  readonly options: Readonly<Record<string, string>>;
  /** Starts an application server and, unless told otherwise, puts it into etcd under its name. */
  app(name: string, how?: { register?: boolean; backend?: string }): Promise<AppServer>;
  config(): string;
  /** One request to the frontend with a Host header. */
  ask(path: string, options: { host: string }): Promise<{ code: number; text: string }>;
  /** Names of the servers that answer on the frontend, over a few requests; 503 for an empty backend. */
  served(): Promise<readonly string[]>;
  /** Resolves when exactly these servers answer. */
  untilServed(names: readonly string[], timeoutMs?: number): Promise<void>;
  /** How often HAProxy was reloaded, by its own log. */
  reloads(): number;
}

export async function startStack(given: StackOptions): Promise<Stack> {
  await using cleanup = new AsyncDisposableStack();
  const dir = cleanup.use(await tempDir()).path;
  const etcd = given.etcd ?? cleanup.use(await startEtcd());
  const port = await freePort();
  process.env["HAPROXY_BIND"] = `127.0.0.1:${port}`;
  const configFile = given.options?.["haproxy-config"] ?? join(dir, "haproxy.cfg");
  const masterSocket = join(dir, "master.sock");
  const options: Record<string, string> = {
    "etcd-endpoints": `http://${etcd.endpoint}`,
    docker: "off",
    "haproxy-bin": await haproxyBinary(given.version),
    "haproxy-config": configFile,
    "haproxy-socket": join(dir, "admin.sock"),
    ...(given.masterSocket === true ? { "haproxy-master-socket": masterSocket } : {}),
    ...given.options,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const first = await rollcall(["render", "--write", "--from", "/dev/null", ...flags]);
  if (first.code !== 0) throw new Error(`rollcall render: ${first.stderr}`);
  const haproxy = cleanup.use(
    await startHaproxy({
      version: given.version,
      configFile,
      dir,
      supervise: true,
      ...(given.masterSocket === true ? { masterSocket } : {}),
    }),
  );
  const running = given.daemon === false ? null : cleanup.use(await startRollcall({ dir, options }));
  const url = `http://127.0.0.1:${port}`;
  const owned = cleanup.move();

  async function served(): Promise<readonly string[]> {
    const names = new Set<string>();
    for (let request = 0; request < 12; request++) {
      const answer = await fetch(url, { headers: { connection: "close" } });
      const text = await answer.text();
      names.add(answer.ok ? text : String(answer.status));
    }
    return [...names].toSorted();
  }

  return {
    dir,
    etcd,
    haproxy,
    get daemon() {
      if (running === null) throw new Error("this stack has no daemon");
      return running;
    },
    url,
    configFile,
    options,
    app: async (name, how = {}) => {
      const app = owned.use(await startApp({ name }));
      const key = how.backend === undefined ? name : `${how.backend}/${name}`;
      if (how.register !== false) await etcd.put(`/app/servers/${key}`, app.address);
      return app;
    },
    config: () => readFileSync(configFile, "utf8"),
    ask: (path, { host }) => ask(`${url}${path}`, host),
    served,
    untilServed: async (names, timeoutMs = 20_000) => {
      const wanted = names.toSorted().join(" ");
      await eventually(
        async () => {
          const found = (await served()).join(" ");
          if (found !== wanted) throw new Error(`served: ${found}; wanted: ${wanted}`);
        },
        { timeoutMs },
      );
    },
    reloads: () => [...haproxy.log().matchAll(/Reloading HAProxy/g)].length,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** `fetch` does not let its caller set the Host header. */
function ask(url: string, host: string): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = requestOf(url, { headers: { host }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

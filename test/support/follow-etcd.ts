import { board } from "../../src/discovery/board.ts";
import { etcdSource, type EtcdOptions } from "../../src/discovery/etcd.ts";
import { keepRunning } from "../../src/discovery/keep-running.ts";
import { nullLogger } from "./null-logger.ts";
import { serverNames } from "./run-source.ts";

/** An etcd source that is kept running as the daemon keeps it. */
export interface EtcdFollower extends AsyncDisposable {
  /** Names of the servers in the last picture, sorted; null before the first one. */
  names(): readonly string[] | null;
  /** Names of those in the last picture that vanished, sorted, each with why: `web1: lease`. */
  vanished(): readonly string[];
  /** The last picture's plain keys. */
  keys(): ReadonlyMap<string, string>;
  /** Reasons of all breaks so far, the last one at the end. */
  readonly breaks: readonly string[];
  /** Numbers of servers in all pictures so far. */
  readonly sizes: readonly number[];
  /** True while the source is connected. */
  isLive(): boolean;
}

/** @param options.endpoints `http://` is put in front where it is missing. */
export function followEtcd(options: Pick<EtcdOptions, "endpoints"> & Partial<EtcdOptions>): EtcdFollower {
  const breaks: string[] = [];
  const sizes: number[] = [];
  const sources = board({ names: ["etcd"], onChange: () => undefined, now: () => performance.now() });
  const state = () => sources.sources()[0];
  const observed = {
    ...sources,
    put: (snapshot: Parameters<typeof sources.put>[0]) => {
      sizes.push(snapshot.servers.length);
      sources.put(snapshot);
    },
    down: (name: string, error: string) => {
      breaks.push(error);
      sources.down(name, error);
    },
  };
  const source = etcdSource({
    prefix: "/app/servers/",
    overridesPrefix: "/app/overrides/",
    watch: [],
    defaultBackend: "webserver",
    log: nullLogger,
    ...options,
    endpoints: options.endpoints.map((one) => (one.includes("://") ? one : `http://${one}`)),
  });
  const controller = new AbortController();
  const { signal } = controller;
  const running = keepRunning({ source, board: observed, log: nullLogger, signal });
  return {
    breaks,
    sizes,
    names: () => {
      const snapshot = state()?.snapshot ?? null;
      return snapshot === null ? null : serverNames(snapshot);
    },
    vanished: () =>
      (state()?.snapshot?.vanished ?? []).map(({ server, why }) => `${server.name}: ${why}`).toSorted(),
    keys: () => state()?.snapshot?.keys ?? new Map<string, string>(),
    isLive: () => state()?.state === "live",
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
    },
  };
}

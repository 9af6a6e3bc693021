import { type AppServer, startApp } from "../test/support/app-server.ts";
import { freePort } from "../test/support/free-port.ts";
import type { Place } from "../test/support/random-change.ts";

/** Applications on ports of their own, each of which keeps its port over any number of starts. */
export interface Apps extends AsyncDisposable {
  readonly names: readonly string[];
  place(name: string): Place;
  /** Those that run. */
  running(): readonly string[];
  start(name: string): Promise<void>;
  /** Its requests are answered first. */
  stop(name: string): Promise<void>;
  /** Its connections are cut. */
  kill(name: string): Promise<void>;
}

export async function makeApps(names: readonly string[]): Promise<Apps> {
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const running = new Map<string, AppServer>();
  const take = (name: string): AppServer | undefined => {
    const app = running.get(name);
    running.delete(name);
    return app;
  };
  const portOf = (name: string): number => {
    const port = ports.get(name);
    if (port === undefined) throw new Error(`no application ${name}`);
    return port;
  };
  return {
    names,
    place: (name) => ({ host: "127.0.0.1", port: portOf(name) }),
    running: () => [...running.keys()].toSorted(),
    start: async (name) => {
      if (!running.has(name)) running.set(name, await startApp({ name, port: portOf(name) }));
    },
    stop: async (name) => take(name)?.close(),
    kill: async (name) => {
      const app = take(name);
      const closed = app?.close();
      app?.destroyConnections();
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...running.values()].map((app) => app[Symbol.asyncDispose]()));
      running.clear();
    },
  };
}

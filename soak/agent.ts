import type { Place } from "../test/support/random-change.ts";
import { publication, startRegistrar, type TestRegistrar } from "../test/support/test-registrar.ts";

/** An agent of a host in this process, whose engine is a list of containers that is kept here. */
export interface Agent extends AsyncDisposable {
  /** The engine has this container from now on. */
  add(name: string, place: Place): void;
  /** The engine has it no longer; the agent drains it and takes it out. */
  remove(name: string): void;
  /** Ends the agent as SIGKILL does. */
  kill(): Promise<void>;
  start(): void;
}

const LEASE_TTL_S = 5;

export function makeAgent(host: string, endpoints: readonly string[]): Agent {
  const containers = new Map<string, { readonly id: string; readonly place: Place }>();
  let agent: TestRegistrar | null = null;
  let made = 0;
  const tell = (): void =>
    agent?.want(
      [...containers].map(([name, { id, place }]) => publication(id, name, `${place.host}:${place.port}`)),
    );
  return {
    add: (name, place) => {
      // A container that is made anew is another one.
      containers.set(name, { id: `${host}${++made}c`, place });
      tell();
    },
    remove: (name) => {
      containers.delete(name);
      tell();
    },
    kill: async () => {
      const killed = agent;
      agent = null;
      await killed?.crash();
    },
    start: () => {
      agent = startRegistrar({ endpoints, host, options: { leaseTtlS: LEASE_TTL_S } });
      tell();
    },
    [Symbol.asyncDispose]: async () => agent?.[Symbol.asyncDispose](),
  };
}

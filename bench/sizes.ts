import type { HaproxyVersion } from "../scripts/lab/haproxy.ts";

/** A number of servers, the HAProxy that is to serve them, and how often one more comes and goes. */
export interface Scale {
  readonly servers: number;
  readonly version: HaproxyVersion;
  readonly changes: number;
}

/** How often everything is measured, and with how much. */
export interface Sizes {
  /** Puts and deletes. */
  readonly changes: number;
  readonly containers: number;
  readonly starts: number;
  readonly scales: readonly Scale[];
  /** How long the daemon is left alone before its memory is read, in milliseconds. */
  readonly restMs: number;
  readonly storms: readonly {
    readonly keys: number;
    readonly version: HaproxyVersion;
    readonly times: number;
  }[];
  /** At most so many daemons on one etcd, fewer when the machine has not the memory, and the number of puts. */
  readonly spread: { readonly daemons: number; readonly puts: number };
  readonly agent: {
    /** Of one host, the smaller number first. */
    readonly containers: readonly number[];
    readonly starts: number;
    /** Simulated ones. */
    readonly agents: number;
    readonly serversEach: number;
    readonly leaseS: number;
    /** Until an agent that has just registered is at rest. */
    readonly restMs: number;
    /** For so many leases' time it is watched then. */
    readonly leases: number;
  };
}

export const FULL: Sizes = {
  changes: 200,
  containers: 8,
  starts: 10,
  scales: [
    { servers: 10, version: "3.2", changes: 20 },
    { servers: 1000, version: "3.2", changes: 20 },
    { servers: 10_000, version: "3.2", changes: 20 },
    { servers: 10, version: "3.0", changes: 5 },
    { servers: 10_000, version: "3.0", changes: 5 },
  ],
  restMs: 5000,
  storms: [
    { keys: 10_000, version: "3.2", times: 3 },
    { keys: 10_000, version: "3.0", times: 3 },
  ],
  spread: { daemons: 100, puts: 5 },
  agent: {
    containers: [10, 500],
    starts: 5,
    agents: 40,
    serversEach: 50,
    leaseS: 15,
    restMs: 5000,
    leases: 4,
  },
};

export const QUICK: Sizes = {
  changes: 1,
  containers: 1,
  starts: 1,
  scales: [
    { servers: 10, version: "3.2", changes: 1 },
    { servers: 1000, version: "3.2", changes: 1 },
  ],
  restMs: 500,
  storms: [{ keys: 1000, version: "3.2", times: 1 }],
  spread: { daemons: 2, puts: 1 },
  agent: { containers: [2, 4], starts: 1, agents: 2, serversEach: 5, leaseS: 2, restMs: 500, leases: 1 },
};

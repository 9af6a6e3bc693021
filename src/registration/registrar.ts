import type { Registration } from "../core/agent-status.ts";
import type { Publication } from "../core/publication.ts";
import type { KeyLayout } from "../core/registry-keys.ts";
import type { Logger } from "../lib/logger.ts";
import type { EtcdAccess } from "../etcd/session.ts";
import { keepConnected } from "./keep-connected.ts";
import { keepPublishing } from "./keep-publishing.ts";
import { registrarMemory } from "./registrar-memory.ts";

export interface RegistrarOptions {
  readonly access: EtcdAccess;
  readonly layout: KeyLayout;
  /** The host's name, under which its servers are registered. */
  readonly host: string;
  /** Another text at each start of an agent. */
  readonly agent: string;
  readonly version: string;
  /** Without a refresh for so long, in seconds, all of the host's keys end. */
  readonly leaseTtlS: number;
  readonly onExit: "withdraw" | "leave";
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is to be in the store. */
export interface Wanted {
  readonly publications: readonly Publication[];
  /** Short ids of all containers that the engine has: whoever registered one of them ran beside this engine. */
  readonly containers: ReadonlySet<string>;
}

export interface Registrar {
  /** The newest picture; until the first one nothing is written or removed. */
  want(wanted: Wanted): void;
  /** Publishes until `signal` aborts, and then withdraws or leaves what is there. Never rejects for etcd's sake. */
  run(signal: AbortSignal): Promise<void>;
  status(): Registration;
}

/** Publishes a host's servers in etcd; see `decide` for what is written, and `hostConcern` for who may. */
export function registrar(options: RegistrarOptions): Registrar {
  const memory = registrarMemory(options);
  return {
    want: (wanted) => {
      memory.wanted = wanted;
      memory.tell({ wanted: wanted.publications.length });
      memory.changed.poke();
    },
    run: (signal) =>
      keepConnected({ memory, use: (connection) => keepPublishing({ memory, ...connection }), signal }),
    status: () => memory.status,
  };
}

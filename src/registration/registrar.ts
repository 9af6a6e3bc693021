import type { Registration } from "../core/agent-status.ts";
import { keepConnected } from "./keep-connected.ts";
import { keepPublishing } from "./keep-publishing.ts";
import type { RegistrarOptions, Wanted } from "./registrar-options.ts";
import { registrarMemory } from "./registrar-memory.ts";

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

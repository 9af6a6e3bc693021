import type { Publication } from "../core/publication.ts";
import type { KeyLayout } from "../core/registry-keys.ts";
import type { EtcdAccess } from "../etcd/access.ts";
import type { Logger } from "../lib/logger.ts";

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

import type { NameDoubt } from "./decision.ts";
import type { Refusal } from "./snapshot.ts";
import type { SourceState } from "./status.ts";

export type RegistrationState =
  /** No connection to etcd; what is registered stands until the lease ends. */
  | "disconnected"
  /** Connected; the engine's containers are not known yet. */
  | "waiting"
  /** The host's name is held. */
  | "registering"
  /** The host's name is somebody else's. */
  | "standing-by"
  /** Taken out, as the process ends. */
  | "withdrawn";

/** How registration is doing. Times are milliseconds since the epoch. */
export interface Registration {
  readonly state: RegistrationState;
  readonly sinceMs: number;
  /** Why it is not registering, in words; null = it is. */
  readonly why: string | null;
  /** The member of etcd that is connected, and answered well; null = none. */
  readonly endpoint: string | null;
  /** etcd's number of the lease; null = none is held. */
  readonly lease: string | null;
  /** When a lease was refreshed last. */
  readonly refreshedAtMs: number | null;
  /** Servers that the engine's containers ask for; null = not known yet. */
  readonly wanted: number | null;
  /** Servers that are in the store as they should be. */
  readonly published: number;
  readonly doubts: readonly NameDoubt[];
  readonly counts: RegistrationCounts;
}

/** Since the start of the process. */
export interface RegistrationCounts {
  readonly transactions: number;
  /** Transactions that met something other than what had been read. */
  readonly conflicts: number;
  readonly keepalives: number;
  readonly leases: number;
  /** Connections to etcd that broke, or could not be made. */
  readonly breaks: number;
}

/** Everything that an agent can say of itself at one moment. */
export interface AgentStatus {
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly host: string;
  /** What other hosts reach this one at; null = not known, or not needed. */
  readonly address: string | null;
  readonly source: SourceState;
  readonly registration: Registration;
  /** Servers that cannot be registered, beside those that the source has quarantined. */
  readonly refused: readonly Refusal[];
}

/** What became of a name, in words for an operator. */
export function doubtText({ publication, name, why }: NameDoubt): string {
  const { container, backend, name: asked } = publication;
  const who = `container ${container}`;
  if (why === "operator") return `${who}: an operator's own key says what is to be with ${backend}/${asked}`;
  if (name === null) return `${who}: ${backend}/${asked} is taken, and so are the names in its place`;
  return `${who}: ${backend}/${asked} is taken; registered as ${name}`;
}

import type { PlainKey } from "./key-table.ts";
import type { Origin, Route, Server, ServerState } from "./server.ts";

/** An entry that is not served, and why, in words for an operator. */
export interface Refusal {
  readonly origin: Origin;
  readonly reason: string;
}

/** An entry that will be served as soon as what it waits for happens; its backend and routes exist meanwhile. */
export interface Waiting extends Refusal {
  readonly backend: string;
  readonly name: string;
  readonly routes: readonly Route[];
}

/** The operator's hand on a server that somebody else registered. */
export interface Override {
  readonly backend: string;
  readonly name: string;
  readonly state: ServerState | null;
  readonly weight: number | null;
  readonly origin: Origin;
}

/** A server whose entry is gone, though nobody is known to have taken it out. */
export interface Vanished {
  readonly server: Server;
  /** Its own key, as templates see it. */
  readonly plain: PlainKey | undefined;
  /** `lease`: its lease ended. `store`: the store is another one, or an older one, than it was. */
  readonly why: "lease" | "store";
  /** When that was seen, in milliseconds of a clock that never jumps. */
  readonly sinceMs: number;
}

/** One source's full picture at a moment. Immutable: it is replaced, never edited. */
export interface Snapshot {
  /** Name of the source. */
  readonly source: string;
  /** The source's version of the picture; only ever compared for equality. */
  readonly revision: string;
  readonly servers: readonly Server[];
  /** Refused entries. */
  readonly quarantined: readonly Refusal[];
  /** Entries that are fine but not yet, or no longer, ready to be served. */
  readonly waiting: readonly Waiting[];
  readonly overrides: readonly Override[];
  /** Served, but something about them deserves a look: an unknown label, a name that clashed. */
  readonly warnings: readonly Refusal[];
  /** What was found out about servers that are fine, and how: at which address other hosts reach them. */
  readonly notes?: readonly Refusal[];
  /** Plain keys for templates: full key → value. */
  readonly keys: ReadonlyMap<string, string>;
  /** Servers that vanished lately, and are not back; they are not among `servers`. */
  readonly vanished: readonly Vanished[];
}

/** A picture with nothing in it but what is given. */
export function snapshot(given: Pick<Snapshot, "source" | "revision"> & Partial<Snapshot>): Snapshot {
  return {
    servers: [],
    quarantined: [],
    waiting: [],
    overrides: [],
    warnings: [],
    keys: new Map(),
    vanished: [],
    ...given,
  };
}

import type { PassRecord } from "./outcome.ts";
import type { Roster } from "./roster.ts";
import type { Server } from "./server.ts";
import type { Snapshot } from "./snapshot.ts";

/** How one source is doing. */
export interface SourceState {
  readonly name: string;
  /**
   * `starting`: never published. `live`: connected. `down`: broken, being tried again; its last picture stands.
   * `absent`: it need not exist on this machine, and was not seen yet.
   */
  readonly state: "starting" | "live" | "down" | "absent";
  /** Since when it is in this state, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why it is not live. */
  readonly error: string | null;
  /** The last picture, and when it was published; a picture is never taken back. */
  readonly snapshot: Snapshot | null;
  readonly publishedAtMs: number | null;
  /** The picture is one of an earlier process, from the state folder: the source has not published yet. */
  readonly isRecalled: boolean;
}

/** A server that vanished and is served on, because HAProxy's check sees it UP. */
export interface HeldServer {
  readonly server: Server;
  /** `lease`: its lease ended. `store`: the store is another one, or an older one, than it was. */
  readonly why: "lease" | "store";
  /** Whether HAProxy's check was heard since; before that it is served on as well. */
  readonly isUp: boolean;
  /** When it vanished, and until when it is held at most, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** HAProxy runs an entry of the history, by an operator's will, and not what the sources say. */
export interface Pin {
  readonly entry: number;
  /** In milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** Something is not remembered as it should be; HAProxy is not touched by that. */
export interface StateTrouble {
  readonly reason: string;
  /** In milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** Everything that Rollcall can say of itself at one moment; the endpoints and the metrics are views of it. */
export interface Status {
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly sources: readonly SourceState[];
  /** What is wanted, as of the last pass; null before the first. */
  readonly roster: Roster | null;
  /** Servers of the roster that vanished, sorted by name. */
  readonly held: readonly HeldServer[];
  /** The entry of the history that HAProxy was rolled back to; null = none, or there is no state folder. */
  readonly pin: Pin | null;
  /** Why the state folder is not written, or not used; null = it is, or there is to be none. */
  readonly stateTrouble: StateTrouble | null;
  /** What HAProxy is proven to run; null = not known. */
  readonly applied: {
    readonly revision: string | null;
    readonly digest: string | null;
    readonly pid: number;
    readonly sinceMs: number;
  } | null;
  readonly haproxy: {
    /** Pid and version of the worker that answers; null = none does. */
    readonly pid: number | null;
    readonly version: string | null;
    /** Since when it answers, or does not, in milliseconds since the epoch. */
    readonly sinceMs: number;
    /** Its worker processes, with those that finish old connections; null = not known. */
    readonly workers: number | null;
  };
  /** The latest passes that changed something or went wrong, newest first, at most 100. */
  readonly passes: readonly PassRecord[];
  /** The very last pass, whatever it was; null before the first. */
  readonly lastPass: PassRecord | null;
  /**
   * How long ago the last pass ended, or the process started if none has, in milliseconds by a clock that never jumps.
   */
  readonly silentMs: number;
}

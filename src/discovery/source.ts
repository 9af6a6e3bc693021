import type { Snapshot, Vanished } from "../core/snapshot.ts";

/**
 * Keeps one full picture of some servers.
 *
 * What every source owes:
 * - it publishes a complete snapshot first, and a complete one after every change, never a part;
 * - it lists and watches so that nothing is lost in between, and lists again after each break;
 * - a failed read throws (`SourceError`); it never publishes fewer servers because something could not be read;
 * - one `run` is one unbroken connection: it ends by throwing when the connection breaks, or by returning when
 *   `signal` aborts, and leaves nothing running behind. `keepRunning` starts it again.
 * - It need not know whether anything really changed: equal pictures cost nothing.
 */
export interface Source {
  readonly name: string;
  run(publish: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void>;
  /** Where its pictures alone do not tell all that a later process needs to go on. */
  readonly memory?: SourceMemory;
}

/** How a source goes on where an earlier process was. */
export interface SourceMemory {
  /**
   * All that is needed for it, as JSON can say it; what it last published is part of it.
   * @param isOver of what vanished, that which is not served on.
   */
  remember(isOver: (vanished: Vanished) => boolean): unknown;
  /**
   * Begins with what was remembered; to be called before the first run.
   * @returns its picture; null = the value cannot be used.
   */
  recall(value: unknown): Snapshot | null;
}

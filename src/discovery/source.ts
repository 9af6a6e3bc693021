import type { Snapshot } from "../core/snapshot.ts";

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
}

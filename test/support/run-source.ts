import type { Snapshot } from "../../src/core/snapshot.ts";
import type { Source } from "../../src/discovery/source.ts";

/** One run of a source, and all that it published. */
export interface SourceRun extends AsyncDisposable {
  readonly snapshots: readonly Snapshot[];
  /** Resolves when the run has ended: null = it returned, else what it threw. */
  readonly ended: Promise<Error | null>;
  /** Names of the servers in the last picture, sorted; null before the first one. */
  names(): readonly string[] | null;
  stop(): void;
}

/** Starts one run; disposing of it stops it and waits for its end. */
export function runSource(source: Source): SourceRun {
  const snapshots: Snapshot[] = [];
  const controller = new AbortController();
  const ended = source
    .run((snapshot) => snapshots.push(snapshot), controller.signal)
    .then(
      () => null,
      (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  return {
    snapshots,
    ended,
    names: () => {
      const last = snapshots.at(-1);
      return last === undefined ? null : serverNames(last);
    },
    stop: () => controller.abort(),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await ended;
    },
  };
}

export const serverNames = (snapshot: Snapshot): readonly string[] =>
  snapshot.servers.map(({ name }) => name).toSorted();

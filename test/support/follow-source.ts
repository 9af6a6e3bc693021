import type { Snapshot } from "../../src/core/snapshot.ts";
import { board, type Board } from "../../src/discovery/board.ts";
import { keepRunning } from "../../src/discovery/keep-running.ts";
import type { Source } from "../../src/discovery/source.ts";
import { nullLogger } from "./null-logger.ts";
import { serverNames } from "./run-source.ts";

/** A source that is started again after each break, as the daemon does it. */
export interface Following extends AsyncDisposable {
  readonly board: Board;
  /** All pictures so far; one that the board was only told of as down is not among them. */
  readonly snapshots: readonly Snapshot[];
  /** Names of the servers in all pictures so far. */
  readonly pictures: readonly (readonly string[])[];
  names(): readonly string[];
  /** Of the source: "live", "down". */
  state(): string | undefined;
  /** What the last picture says of a server: its state, or why it is not served; undefined = nothing. */
  stateOf(name: string): string | undefined;
}

export function followSource(source: Source): Following {
  const pictures: (readonly string[])[] = [];
  const snapshots: Snapshot[] = [];
  const controller = new AbortController();
  const kept = board({
    names: [source.name],
    onChange: () => {
      pictures.push(last());
      const found = snapshot();
      if (found !== undefined && found !== snapshots.at(-1)) snapshots.push(found);
    },
    now: Date.now,
  });
  const snapshot = () => kept.snapshots()[0];
  const last = (): readonly string[] => {
    const found = snapshot();
    return found === undefined ? [] : serverNames(found);
  };
  const ended = keepRunning({ source, board: kept, log: nullLogger, signal: controller.signal });
  return {
    board: kept,
    snapshots,
    pictures,
    names: last,
    state: () => kept.sources()[0]?.state,
    stateOf: (name) =>
      snapshot()?.servers.find((one) => one.name === name)?.state ??
      snapshot()?.waiting.find((one) => one.name === name)?.reason,
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await ended;
    },
  };
}

import { bigLosses } from "./core/big-losses.ts";
import { causes } from "./core/causes.ts";
import type { PassRecord } from "./core/outcome.ts";
import type { Roster } from "./core/roster.ts";
import { readStamp, type Stamped } from "./core/stamp.ts";
import type { Vanished } from "./core/snapshot.ts";
import type { Pin, StateTrouble } from "./core/status.ts";
import type { Board } from "./discovery/board.ts";
import type { Source } from "./discovery/source.ts";
import { dirtyFlag } from "./lib/dirty-flag.ts";
import type { Logger } from "./lib/logger.ts";
import { recallSources, rememberSources } from "./remember-sources.ts";
import { historyKeeper, type HistoryKeeper } from "./state/history.ts";
import { followOrders, type Orders, readOrders } from "./state/orders.ts";
import { openStateFolder, type StateFolder } from "./state/state-folder.ts";
import { writeTrouble } from "./state/write-trouble.ts";

/** What the daemon keeps in its state folder, and what it is told through it. */
export interface DaemonState {
  /** The entry of the history that HAProxy is to run, whatever the sources say; null = what they say. */
  pin(): Pin | null;
  /** The text of that entry. */
  pinned(): Stamped | null;
  /** Why something is not remembered; null = all is. */
  trouble(): StateTrouble | null;
  /** What an earlier process wanted, where that is known: the first change is told by it. */
  begin(roster: Roster | null): void;
  /** To be called when the board changed. */
  onBoard(): void;
  onPass(record: PassRecord, given: { roster: Roster | null; text: string | null }): void;
  run(signal: AbortSignal): Promise<void>;
}

export interface DaemonStateOptions {
  readonly path: string;
  readonly sources: readonly Source[];
  readonly board: Board;
  /** What is wanted has changed. */
  readonly onChange: () => void;
  /** A held server is to be let go, `BACKEND/NAME`; null = all. */
  readonly release: (server: string | null) => void;
  /** Whether one that vanished is not served on. */
  readonly isOver: (vanished: Vanished) => boolean;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Opens the state folder and takes over what is remembered there.
 * @throws Error when the folder cannot be used.
 */
export async function daemonState(options: DaemonStateOptions): Promise<DaemonState> {
  const { sources, board, isOver, log } = options;
  const folder = await openStateFolder(options.path, log);
  await recallSources({ folder, sources, board, log });
  const trouble = writeTrouble(options);
  const history = await historyKeeper(folder, trouble);
  const orders = await orderTaker({ ...options, folder, history });
  const changed = dirtyFlag();
  let before: Roster | null = null;
  return {
    pin: orders.pin,
    pinned: orders.pinned,
    trouble: trouble.current,
    begin: (roster) => {
      before = roster;
    },
    onBoard: changed.poke,
    onPass: (record, { roster, text }) => {
      changed.poke();
      const { kind } = record.outcome;
      if (roster === null || (kind !== "applied" && kind !== "unchanged")) return;
      const pin = orders.pin();
      const found = before === null || pin !== null ? [] : causes(before, roster);
      const losses = pin === null ? bigLosses(before, roster) : [];
      // While it is pinned, what is wanted is not what HAProxy runs.
      if (pin === null) before = roster;
      if (kind === "unchanged" || text === null) return;
      for (const loss of losses) log.warn({ ...loss }, "more than half of a backend was removed at once");
      const applied = { record, causes: found, moreCauses: 0, losses, rolledBackTo: pin?.entry ?? null };
      history.note(applied, text);
    },
    run: async (signal) => {
      await Promise.all([
        rememberSources({ folder, sources, board, changed, isOver, trouble, signal }),
        history.run(signal),
        orders.follow(signal),
      ]);
    },
  };
}

interface OrderTaker {
  pin(): Pin | null;
  pinned(): Stamped | null;
  follow(signal: AbortSignal): Promise<void>;
}

/** Carries out orders as they come; a pin that was given before our start holds from the start. */
async function orderTaker(
  given: DaemonStateOptions & { folder: StateFolder; history: HistoryKeeper },
): Promise<OrderTaker> {
  const { folder, history, log } = given;
  let pin: Pin | null = null;
  let pinned: Stamped | null = null;
  const first = await readOrders(folder);
  // What was let go before our start was held by another process.
  let released = first.releases.at(-1)?.number ?? 0;

  async function take({ pin: wanted, releases }: Orders): Promise<void> {
    for (const { number, server } of releases) if (number > released) given.release(server);
    released = Math.max(released, releases.at(-1)?.number ?? 0);
    if (wanted?.entry === pin?.entry && wanted?.atMs === pin?.sinceMs) return;
    const text = wanted === null ? null : await history.text(wanted.entry);
    if (wanted !== null && text === null) {
      log.error({ entry: wanted.entry }, "cannot roll back: the history has no such entry");
      return;
    }
    pin = wanted === null ? null : { entry: wanted.entry, sinceMs: wanted.atMs };
    pinned = text === null ? null : readStamp(text);
    if (pin === null) log.info({}, "following the sources again");
    else log.warn({ entry: pin.entry }, "rolled back: changes of the sources are not applied");
    given.onChange();
  }

  await take(first);
  return {
    pin: () => pin,
    pinned: () => pinned,
    follow: (signal) => followOrders({ folder, first, onOrders: take, signal }),
  };
}

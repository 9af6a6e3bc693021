import { recallSnapshot, rememberSnapshot } from "./core/remembered.ts";
import type { Vanished } from "./core/snapshot.ts";
import type { Board } from "./discovery/board.ts";
import type { Source } from "./discovery/source.ts";
import type { DirtyFlag } from "./lib/dirty-flag.ts";
import type { Logger } from "./lib/logger.ts";
import { sleep } from "./lib/sleep.ts";
import type { StateFolder } from "./state/state-folder.ts";
import type { WriteTrouble } from "./state/write-trouble.ts";

interface Remembered {
  readonly publishedAtMs: number;
  readonly content: unknown;
}

/** Least time between two writes, and how many times as long as one took nothing is written. */
const EVERY_MS = 1000;
const PAUSE = 20;
const RETRY_MS = 2000;

const nameOf = (source: Source): string => `source-${source.name}`;

/** Puts on the board what an earlier process knew of the sources; to be called before they run. */
export async function recallSources(given: {
  folder: StateFolder;
  sources: readonly Source[];
  board: Board;
  log: Logger;
}): Promise<void> {
  const { folder, sources, board, log } = given;
  for (const source of sources) {
    const value = (await folder.read(nameOf(source))) as Partial<Remembered> | null;
    if (value === null) continue;
    const { publishedAtMs, content } = value;
    const picture = source.memory === undefined ? recallSnapshot(content) : source.memory.recall(content);
    const isUsable = picture !== null && picture.source === source.name && Number.isFinite(publishedAtMs);
    if (isUsable) board.recall(picture, publishedAtMs ?? 0);
    else log.warn({ source: source.name }, "what was remembered of this source cannot be used");
  }
}

/** Writes what the sources say, soon after each change, until `signal` aborts; tries again where it cannot. */
export async function rememberSources(given: {
  folder: StateFolder;
  sources: readonly Source[];
  board: Board;
  changed: DirtyFlag;
  /** Of what vanished, that which is not served on: no later process is to take it back. */
  isOver: (vanished: Vanished) => boolean;
  trouble: WriteTrouble;
  signal: AbortSignal;
}): Promise<void> {
  const { sources, changed, trouble, signal } = given;
  const written = new Map<string, string>();
  let isWritten = true;
  for (let isEnding = false; !isEnding;) {
    isEnding = (await changed.wait(signal, isWritten ? undefined : RETRY_MS)) === "aborted";
    const startedMs = performance.now();
    isWritten = await trouble.attempt("sources", async () => {
      for (const source of sources) await remember({ ...given, source, written });
    });
    if (!isEnding) await sleep(Math.max(EVERY_MS, PAUSE * (performance.now() - startedMs)), signal);
  }
}

async function remember(given: {
  source: Source;
  board: Board;
  folder: StateFolder;
  isOver: (vanished: Vanished) => boolean;
  written: Map<string, string>;
}): Promise<void> {
  const { source, board, folder, isOver, written } = given;
  const known = board.sources().find(({ name }) => name === source.name);
  const { snapshot = null, publishedAtMs = null, isRecalled = true } = known ?? {};
  if (snapshot === null || publishedAtMs === null || isRecalled) return;
  const open = snapshot.vanished.filter((vanished) => !isOver(vanished));
  const state = `${snapshot.revision} ${open.length}`;
  if (written.get(source.name) === state) return;
  const content = source.memory === undefined ? rememberSnapshot(snapshot) : source.memory.remember(isOver);
  await folder.write(nameOf(source), { publishedAtMs, content } satisfies Remembered);
  written.set(source.name, state);
}

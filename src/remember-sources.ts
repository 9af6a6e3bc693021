import { recallSnapshot, rememberSnapshot } from "./core/remembered.ts";
import type { Board } from "./discovery/board.ts";
import type { Source } from "./discovery/source.ts";
import type { DirtyFlag } from "./lib/dirty-flag.ts";
import { messageOf } from "./lib/errors.ts";
import type { Logger } from "./lib/logger.ts";
import { sleep } from "./lib/sleep.ts";
import type { StateFolder } from "./state/state-folder.ts";

interface Remembered {
  readonly publishedAtMs: number;
  readonly content: unknown;
}

/** Least time between two writes, and how many times as long as one took nothing is written. */
const EVERY_MS = 1000;
const PAUSE = 20;

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

/** Writes what the sources say, soon after each change, until `signal` aborts. */
export async function rememberSources(given: {
  folder: StateFolder;
  sources: readonly Source[];
  board: Board;
  changed: DirtyFlag;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { folder, sources, board, changed, log, signal } = given;
  const written = new Map<string, string>();
  let told: string | null = null;
  for (let isEnding = false; !isEnding;) {
    isEnding = (await changed.wait(signal)) === "aborted";
    const startedMs = performance.now();
    try {
      for (const source of sources) await remember({ source, board, folder, written });
      if (told !== null) log.info({}, "state can be written again");
      told = null;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== told) log.warn({ reason }, "state cannot be written, HAProxy is not touched by that");
      told = reason;
    }
    if (!isEnding) await sleep(Math.max(EVERY_MS, PAUSE * (performance.now() - startedMs)), signal);
  }
}

async function remember(given: {
  source: Source;
  board: Board;
  folder: StateFolder;
  written: Map<string, string>;
}): Promise<void> {
  const { source, board, folder, written } = given;
  const state = board.sources().find(({ name }) => name === source.name);
  const { snapshot = null, publishedAtMs = null, isRecalled = true } = state ?? {};
  if (snapshot === null || publishedAtMs === null || isRecalled) return;
  if (written.get(source.name) === snapshot.revision) return;
  const content = source.memory === undefined ? rememberSnapshot(snapshot) : source.memory.remember();
  await folder.write(nameOf(source), { publishedAtMs, content } satisfies Remembered);
  written.set(source.name, snapshot.revision);
}

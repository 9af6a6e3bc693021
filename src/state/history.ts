import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import {
  type Applied,
  type HistoryEntry,
  joinEntries,
  type OpenEntry,
  withPass,
} from "../core/history-entry.ts";
import { dirtyFlag } from "../lib/dirty-flag.ts";
import { replaceFile } from "../lib/replace-file.ts";
import { sleep } from "../lib/sleep.ts";
import type { StateFolder } from "./state-folder.ts";
import type { WriteTrouble } from "./write-trouble.ts";

/** The last configurations that HAProxy was proven to run. */
export interface History {
  /** The newest first. */
  entries(): readonly HistoryEntry[];
  /** @returns null = there is no such entry, or its text cannot be read. */
  text(number: number): Promise<string | null>;
}

export interface HistoryKeeper extends History {
  /** HAProxy was proven to run `text`. */
  note(applied: Applied, text: string): void;
  /**
   * Writes what is noted, at most once a second, until `signal` aborts, and what is left then. What cannot be written
   * is tried again, in one entry with what was noted meanwhile.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** What is noted and not yet written. */
interface Open {
  readonly entry: OpenEntry;
  readonly text: string;
}

const NAME = "history";
const MAX_ENTRIES = 100;
const EVERY_MS = 1000;
const RETRY_MS = 2000;

const [pack, unpack] = [promisify(gzip), promisify(gunzip)];

/** Reads what an earlier process wrote; nothing can be written through it. */
export async function readHistory(folder: StateFolder): Promise<History> {
  const entries = await readEntries(folder);
  return { entries: () => entries, text: (number) => readText(folder, number) };
}

export async function historyKeeper(folder: StateFolder, trouble: WriteTrouble): Promise<HistoryKeeper> {
  let entries = await readEntries(folder);
  let newest = entries[0] === undefined ? null : await readText(folder, entries[0].number);
  let open: Open | null = null;
  const noted = dirtyFlag();

  async function write(): Promise<void> {
    const writing = open;
    if (writing === null) return;
    open = null;
    if (isNewest(writing)) return;
    try {
      await add(writing);
    } catch (error) {
      putBack(writing);
      throw error;
    }
  }

  /** What HAProxy was brought back to, since somebody else had changed it, is no other configuration. */
  function isNewest({ entry, text }: Open): boolean {
    return text === newest && entry.causes.length === 0 && entry.rolledBackTo === entries[0]?.rolledBackTo;
  }

  function putBack(written: Open): void {
    open = open === null ? written : { ...open, entry: joinEntries(written.entry, open.entry) };
  }

  async function add({ entry, text }: Open): Promise<void> {
    const number = (entries[0]?.number ?? 0) + 1;
    await mkdir(join(folder.path, NAME), { recursive: true, mode: 0o700 });
    await replaceFile(textFile(folder, number), await pack(text), { mode: 0o600 });
    const [kept, old] = [entries.slice(0, MAX_ENTRIES - 1), entries.slice(MAX_ENTRIES - 1)];
    const all = [{ number, ...entry }, ...kept];
    await folder.write(NAME, all);
    [entries, newest] = [all, text];
    for (const gone of old) await rm(textFile(folder, gone.number), { force: true }).catch(() => undefined);
  }

  return {
    entries: () => entries,
    text: (number) => readText(folder, number),
    note: (applied, text) => {
      open = { entry: withPass(open?.entry ?? null, applied), text };
      noted.poke();
    },
    run: async (signal) => {
      for (let isEnding = false; !isEnding;) {
        isEnding = (await noted.wait(signal, open === null ? undefined : RETRY_MS)) === "aborted";
        await trouble.attempt(NAME, write);
        if (!isEnding) await sleep(EVERY_MS, signal);
      }
    },
  };
}

const textFile = (folder: StateFolder, number: number): string => join(folder.path, NAME, `${number}.cfg.gz`);

async function readText(folder: StateFolder, number: number): Promise<string | null> {
  try {
    return (await unpack(await readFile(textFile(folder, number)))).toString("utf8");
  } catch {
    return null;
  }
}

/** It is ours, and its checksum is right; only what would make us stumble is looked at. */
async function readEntries(folder: StateFolder): Promise<readonly HistoryEntry[]> {
  const value = await folder.read(NAME);
  if (!Array.isArray(value)) return [];
  return (value as HistoryEntry[]).filter(
    (entry) =>
      Number.isSafeInteger(entry.number) && Number.isFinite(entry.atMs) && Array.isArray(entry.causes),
  );
}

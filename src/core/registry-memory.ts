import type { RegistryPicture, RememberedEntry } from "./registry-picture.ts";
import type { Snapshot, Vanished } from "./snapshot.ts";

/** What is kept of a registry on a disk. */
export interface RegistryMemory {
  readonly clusterId: string;
  readonly revision: string;
  readonly savedAtMs: number;
  readonly entries: readonly RememberedEntry[];
  /** Servers that had vanished, and for how long, in milliseconds. */
  readonly vanished: readonly (readonly [key: string, value: string, ageMs: number])[];
}

/** `nowMs` is of the clock of `Vanished`, `savedAtMs` the time of day. */
export function rememberRegistry(given: {
  picture: RegistryPicture;
  vanished: readonly Vanished[];
  store: { readonly clusterId: string; readonly revision: string };
  nowMs: number;
  savedAtMs: number;
}): RegistryMemory {
  const { picture, vanished, store, nowMs, savedAtMs } = given;
  return {
    ...store,
    savedAtMs,
    entries: picture.remember(),
    vanished: vanished.flatMap(({ plain, sinceMs }) =>
      plain === undefined ? [] : [[plain.key, plain.value, nowMs - sinceMs] as const],
    ),
  };
}

/** Fills an empty picture with what was remembered; every entry is read by the same rules as one of the store. */
export function recallRegistry(
  memory: RegistryMemory,
  given: { picture: RegistryPicture; nowMs: number; timeOfDayMs: number },
): Snapshot {
  const { picture, nowMs, timeOfDayMs } = given;
  const awayMs = Math.max(0, timeOfDayMs - memory.savedAtMs);
  const put = (key: string, value: string, more: { modRevision: string; isLeased: boolean }): void =>
    picture.put({ key: encoder.encode(key), value: encoder.encode(value), ...more });
  for (const [key, value, modRevision, isLeased] of memory.entries)
    put(key, value, { modRevision, isLeased });
  for (const [key, value] of memory.vanished) put(key, value, { modRevision: "0", isLeased: true });
  picture.complete({ isSameStore: true, nowMs });
  for (const [key, , ageMs] of memory.vanished) picture.remove(encoder.encode(key), nowMs - ageMs - awayMs);
  return picture.snapshot(memory.revision);
}

const encoder = new TextEncoder();

/** null = it is something else. */
export function parseRegistryMemory(value: unknown): RegistryMemory | null {
  if (typeof value !== "object" || value === null) return null;
  const { clusterId, revision, savedAtMs, entries, vanished } = value as Partial<Record<string, unknown>>;
  const isWhole =
    isNumeral(clusterId) &&
    isNumeral(revision) &&
    Number.isFinite(savedAtMs) &&
    isListOf(entries, ["string", "string", "string", "boolean"]) &&
    isListOf(vanished, ["string", "string", "number"]);
  return isWhole ? (value as RegistryMemory) : null;
}

const isNumeral = (value: unknown): boolean => typeof value === "string" && /^[0-9]{1,20}$/.test(value);

const isListOf = (value: unknown, types: readonly string[]): boolean =>
  Array.isArray(value) &&
  value.every(
    (row) =>
      Array.isArray(row) && row.length === types.length && types.every((type, i) => typeof row[i] === type),
  );

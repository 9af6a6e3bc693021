import { compareText } from "./compare-text.ts";

/**
 * Values in the order of their keys. A change is only noted; all that were noted are put in their places together when
 * somebody looks: a look costs one copy of the list, however many changes there were, and none costs nothing.
 */
export interface SortedList<T> {
  /** Sets the value of a key; undefined takes the key out. */
  set(key: string, value: T | undefined): void;
  /** All values, sorted by key. The same array until the next change; it is never edited. */
  values(): readonly T[];
}

type Changes<T> = ReadonlyMap<string, T | undefined>;

/** `values[n]` belongs to `keys[n]`. */
interface Entries<T> {
  readonly keys: readonly string[];
  readonly values: readonly T[];
}

/** So many changes are put in one by one, moving what stands behind each; more are merged with all there is. */
const FEW = 50;

/** An empty list. */
export function sortedList<T>(): SortedList<T> {
  let entries: Entries<T> = { keys: [], values: [] };
  const changes = new Map<string, T | undefined>();
  return {
    set: (key, value) => void changes.set(key, value),
    values: () => {
      if (changes.size > 0) entries = (changes.size > FEW ? merge : splice)(entries, changes);
      changes.clear();
      return entries.values;
    },
  };
}

function splice<T>(old: Entries<T>, changes: Changes<T>): Entries<T> {
  const values = old.values.slice();
  let { keys } = old;
  for (const [key, value] of changes) {
    const at = place(keys, key);
    const isThere = keys[at] === key;
    if (value === undefined) {
      if (!isThere) continue;
      keys = keys.toSpliced(at, 1);
      values.splice(at, 1);
    } else if (isThere) values[at] = value;
    else {
      keys = keys.toSpliced(at, 0, key);
      values.splice(at, 0, value);
    }
  }
  return { keys, values };
}

function merge<T>(old: Entries<T>, changes: Changes<T>): Entries<T> {
  const [keys, values]: [string[], T[]] = [[], []];
  let next = 0;
  const copyUntil = (end: number): void => {
    for (; next < end; next++) {
      keys.push(old.keys[next] as string);
      values.push(old.values[next] as T);
    }
  };
  for (const key of [...changes.keys()].toSorted(compareText)) {
    copyUntil(place(old.keys, key));
    if (old.keys[next] === key) next++;
    const value = changes.get(key);
    if (value === undefined) continue;
    keys.push(key);
    values.push(value);
  }
  copyUntil(old.keys.length);
  return { keys, values };
}

/** Where `key` is in the sorted `keys`, or would have to be. */
function place(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

import { compareText } from "./roster.ts";

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

/** An empty list. */
export function sortedList<T>(): SortedList<T> {
  /** `values[n]` belongs to `keys[n]`. */
  let keys: readonly string[] = [];
  let values: readonly T[] = [];
  const changes = new Map<string, T | undefined>();

  /** Changes of values alone, which is most of them, leave the keys as they are. */
  function replace(): void {
    const next = values.slice();
    for (const [key, value] of changes) next[place(keys, key)] = value as T;
    values = next;
  }

  /** Copies runs of old entries and puts the new ones between them. */
  function merge(): void {
    const parts: { keys: readonly string[]; values: readonly T[] }[] = [];
    let next = 0;
    for (const key of [...changes.keys()].toSorted(compareText)) {
      const at = place(keys, key);
      const value = changes.get(key);
      parts.push({ keys: keys.slice(next, at), values: values.slice(next, at) });
      if (value !== undefined) parts.push({ keys: [key], values: [value] });
      next = keys[at] === key ? at + 1 : at;
    }
    parts.push({ keys: keys.slice(next), values: values.slice(next) });
    keys = parts.flatMap((part) => part.keys);
    values = parts.flatMap((part) => part.values);
  }

  return {
    set: (key, value) => void changes.set(key, value),
    values: () => {
      if (changes.size === 0) return values;
      const inPlace = [...changes].every(([key, value]) => value !== undefined && keys[place(keys, key)] === key);
      if (inPlace) replace();
      else merge();
      changes.clear();
      return values;
    },
  };
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

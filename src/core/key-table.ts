import { compareText } from "./compare-text.ts";

/** A key and its value, as templates see them. */
export interface PlainKey {
  readonly key: string;
  readonly value: string;
}

/**
 * Keys and their values. The map behind it is made when somebody looks up a key: most templates never do, and ten
 * thousand entries would cost a millisecond and a megabyte at each change.
 * @param pairs no key twice; not edited afterwards.
 */
export function keyTable(pairs: readonly PlainKey[]): ReadonlyMap<string, string> {
  return new KeyTable(pairs.length, () => pairs);
}

/** The same table with some more keys, which it does not have, each in its place. */
export function withKeys(
  table: ReadonlyMap<string, string>,
  more: readonly PlainKey[],
): ReadonlyMap<string, string> {
  const pairs = (): readonly PlainKey[] =>
    [...[...table].map(([key, value]) => ({ key, value })), ...more].toSorted((a, b) =>
      compareText(a.key, b.key),
    );
  return more.length === 0 ? table : new KeyTable(table.size + more.length, pairs);
}

class KeyTable implements ReadonlyMap<string, string> {
  readonly size: number;
  readonly #pairs: () => readonly PlainKey[];
  #made: ReadonlyMap<string, string> | null = null;

  constructor(size: number, pairs: () => readonly PlainKey[]) {
    this.size = size;
    this.#pairs = pairs;
  }

  get #map(): ReadonlyMap<string, string> {
    this.#made ??= new Map(this.#pairs().map(({ key, value }) => [key, value]));
    return this.#made;
  }

  get(key: string): string | undefined {
    return this.#map.get(key);
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  keys(): MapIterator<string> {
    return this.#map.keys();
  }

  values(): MapIterator<string> {
    return this.#map.values();
  }

  entries(): MapIterator<[string, string]> {
    return this.#map.entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  forEach(visit: (value: string, key: string, map: ReadonlyMap<string, string>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}

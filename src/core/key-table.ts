/**
 * Keys and their values. The map behind it is made when somebody looks up a key: most templates never do, and ten
 * thousand entries would cost a millisecond and a megabyte at each change.
 * @param pairs no key twice; not edited afterwards.
 */
export function keyTable(
  pairs: readonly { readonly key: string; readonly value: string }[],
): ReadonlyMap<string, string> {
  return new KeyTable(pairs);
}

class KeyTable implements ReadonlyMap<string, string> {
  readonly #pairs: readonly { readonly key: string; readonly value: string }[];
  #made: ReadonlyMap<string, string> | null = null;

  constructor(pairs: readonly { readonly key: string; readonly value: string }[]) {
    this.#pairs = pairs;
  }

  get #map(): ReadonlyMap<string, string> {
    this.#made ??= new Map(this.#pairs.map(({ key, value }) => [key, value]));
    return this.#made;
  }

  get size(): number {
    return this.#pairs.length;
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

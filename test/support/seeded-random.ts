/** Random numbers that are the same for the same seed. */
export interface SeededRandom {
  /** Printed by whoever uses it, so that a failure can be repeated. */
  readonly seed: number;
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  /** @throws Error when the list is empty. */
  pick<T>(list: readonly T[]): T;
}

/** The seed of a failed run is given by the variable TEST_SEED; `salt` tells several users of one seed apart. */
export function seededRandom(salt = ""): SeededRandom {
  const given = process.env["TEST_SEED"];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  let state = seed;
  for (const character of salt) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);

  // mulberry32, in the public domain.
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    seed,
    below,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error("nothing to pick from");
      return list[below(list.length)] as T;
    },
  };
}

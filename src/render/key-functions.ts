import { posix } from "node:path";
import { compareText } from "../core/compare-text.ts";
import { pathMatch } from "./path-match.ts";

/** A key and its value; the fields are called as in confd, so that a template changes as little as possible. */
export interface KeyValue {
  readonly Key: string;
  readonly Value: string;
}

/** confd's functions that read keys. */
export interface KeyFunctions {
  exists(key: string): boolean;
  /** @throws Error when there is no such key. */
  get(key: string): KeyValue;
  /** @throws Error when there is no such key and no `fallback`. */
  getv(key: string, fallback?: string): string;
  /**
   * All pairs whose key fits the pattern, sorted by key; `*` does not go beyond a "/". No match is an empty list;
   * confd renders nothing at all when one of its `keys` is missing (confd issue 216), so one must exist there.
   * @throws Error for a malformed pattern.
   */
  gets(pattern: string): readonly KeyValue[];
  /** All values whose key fits the pattern, sorted by value. */
  getvs(pattern: string): readonly string[];
  /** Names directly below `path`, sorted; of a key itself, its own name. */
  ls(path: string): readonly string[];
  /** Names directly below `path` that have something below them, sorted. */
  lsdir(path: string): readonly string[];
}

/** Functions over `keys`: full key → value. Keys are full, also where confd would have taken a `prefix` off. */
export function keyFunctions(keys: ReadonlyMap<string, string>): KeyFunctions {
  let sorted: readonly string[] | undefined;
  const below = (prefix: string): readonly string[] => {
    sorted ??= [...keys.keys()].toSorted(compareText);
    return startingWith(prefix, sorted);
  };
  const pair = (key: string): KeyValue => Object.freeze({ Key: key, Value: keys.get(key) ?? "" });
  const gets = (pattern: string): readonly KeyValue[] => {
    const match = pathMatch(pattern);
    return below(match.prefix).filter(match.matches).map(pair);
  };
  const namesBelow = (path: string): string[][] => {
    const folder = path.endsWith("/") ? path : `${path}/`;
    return below(folder).map((key) => key.slice(folder.length).split("/"));
  };
  return {
    exists: (key) => keys.has(key),
    get: (key) => (keys.has(key) ? pair(key) : missing(key)),
    getv: (key, fallback) => keys.get(key) ?? fallback ?? missing(key),
    gets,
    getvs: (pattern) =>
      gets(pattern)
        .map(({ Value }) => Value)
        .toSorted(compareText),
    ls: (path) => {
      const own = keys.has(path) ? [posix.basename(path)] : [];
      return unique([...own, ...namesBelow(path).map(([first = ""]) => first)]);
    },
    lsdir: (path) =>
      unique(namesBelow(path).flatMap(([first = "", ...rest]) => (rest.length > 0 ? [first] : []))),
  };
}

function missing(key: string): never {
  throw new Error(`key does not exist: ${key}`);
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].toSorted(compareText);

/** The part of a sorted list that begins with `prefix`, found by halving. */
function startingWith(prefix: string, sorted: readonly string[]): readonly string[] {
  const first = (fits: (text: string) => boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (fits(sorted[middle] ?? "")) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const start = first((text) => text >= prefix);
  const end = first((text) => text >= prefix && !text.startsWith(prefix));
  return sorted.slice(start, end);
}

import { posix } from "node:path";
import type { KeyValue } from "./key-functions.ts";

/*
 * confd's functions that look at nothing but their arguments. They follow Go's packages path, strings and strconv,
 * also where JavaScript's cousins differ. Whatever changes a list returns a new one.
 */

type Dictionary = Readonly<Record<string, unknown>>;

/** Last part of a path: `base("/a/b/")` is `b`, `base("")` is `.`. */
export const base = (path: string): string => (path === "" ? "." : posix.basename(path) || "/");

/** All but the last part of a path: `dir("/a/b")` is `/a`; of `/a/b/` it is `/a/b`, as in Go. */
export function dir(path: string): string {
  const cleaned = posix.normalize(path.slice(0, path.lastIndexOf("/") + 1));
  return cleaned.length > 1 && cleaned.endsWith("/") ? cleaned.slice(0, -1) : cleaned;
}

export const split = (text: string, separator: string): readonly string[] =>
  separator === "" ? Array.from(text) : text.split(separator);

export const join = (list: readonly string[], separator: string): string => list.join(separator);

/** A dictionary of `key, value, key, value, …`. @throws Error for a key without a value or one that is no text. */
export function map(...pairs: readonly unknown[]): Dictionary {
  if (pairs.length % 2 !== 0) throw new Error("map: a key has no value");
  const found = Object.create(null) as Record<string, unknown>;
  for (let index = 0; index < pairs.length; index += 2) {
    const key = pairs[index];
    if (typeof key !== "string") throw new Error(`map: key ${String(key)} is not a text`);
    found[key] = pairs[index + 1];
  }
  return found;
}

/** @throws Error when the text is no JSON object. */
export function json(text: string): Dictionary {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Dictionary;
  throw new Error(`json: not an object: ${text.slice(0, 80)}`);
}

/** @throws Error when the text is no JSON array. */
export function jsonArray(text: string): readonly unknown[] {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value;
  throw new Error(`jsonArray: not an array: ${text.slice(0, 80)}`);
}

export const toUpper = (text: string): string => text.toUpperCase();
export const toLower = (text: string): string => text.toLowerCase();
export const contains = (text: string, part: string): boolean => text.includes(part);

/** Replaces the first `count` of `part`; all of them when `count` is negative or not given. */
export function replace(text: string, part: string, by: string, count = -1): string {
  if (count < 0) return text.replaceAll(part, () => by);
  let replaced = 0;
  return text.replaceAll(part, () => (replaced++ < count ? by : part));
}

export const trimSuffix = (text: string, suffix: string): string =>
  suffix !== "" && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;

export const base64Encode = (text: string): string => Buffer.from(text).toString("base64");

/** @throws Error when the text is not base64 with its padding. */
export function base64Decode(text: string): string {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") === text.replaceAll(/[\r\n]/g, "")) return bytes.toString();
  throw new Error(`base64Decode: not base64: ${text.slice(0, 80)}`);
}

/** @throws Error for what Go does not read as a boolean. */
export function parseBool(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`parseBool: neither true nor false: ${text}`);
}

export const reverse = <T>(list: readonly T[]): readonly T[] => list.toReversed();

/** The shortest first, counted in bytes; equal ones stay in their order. */
export const sortByLength = (list: readonly string[]): readonly string[] =>
  list.toSorted((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b));

/** Pairs with the shortest key first. */
export const sortKVByLength = (list: readonly KeyValue[]): readonly KeyValue[] =>
  list.toSorted((a, b) => Buffer.byteLength(a.Key) - Buffer.byteLength(b.Key));

import { parseHost, quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";

/*
 * One validator for each field of a server, for all sources. They are allow-lists: whatever they accept may be
 * written into HAProxy's configuration by any template, where quotes, `#`, backslashes, `$` (environment) and `%`
 * (log-format expressions) would be read as syntax. Reasons do not say which field it was; callers put that in front.
 */

const PATH = /^\/[A-Za-z0-9._~/?&=+:@,-]{0,255}$/;
const WORD = /^[A-Za-z0-9_.-]{1,63}$/;
const META_VALUE = /^[ !&()*+,\-./0-9:<=>?@A-Z[\]^_a-z{|}~]{0,256}$/;
const BOOLEANS = new Map([
  ...["true", "1", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "no", "off"].map((word) => [word, false] as const),
]);

/** 0 to 256, as HAProxy takes it; 0 = no new connections by balancing. */
export const parseWeight = (text: string): Result<number> => wholeNumber(text, 0, 256);

/** 0 to 2147483647; 0 = no limit, as in HAProxy. */
export const parseMaxconn = (text: string): Result<number> => wholeNumber(text, 0, 2 ** 31 - 1);

/** How many checks in a row turn a server up (`rise`) or down (`fall`): 1 to 100. */
export const parseCount = (text: string): Result<number> => wholeNumber(text, 1, 100);

/** Path, and perhaps query, of an HTTP check: `/healthz?full=1`. */
export const parseCheckPath = (text: string): Result<string> => path(text);

/** Path prefix of a route: `/api`. */
export const parseRoutePath = (text: string): Result<string> => path(text);

/** Host name of a route, lower-cased, perhaps with `*.` in front; no IP address, no port. */
export function parseRouteHost(text: string): Result<string> {
  const wildcard = text.startsWith("*.") ? "*." : "";
  const host = parseHost(text.slice(wildcard.length));
  if (host.ok && /[a-z]/.test(host.value) && !host.value.includes(":")) return accept(wildcard + host.value);
  return refuse(`${quote(text)} is not a host name like example.org or *.example.org`);
}

/** `blue,canary`: words separated by commas, in the order given, each once. Empty text = no tags. */
export function parseTags(text: string): Result<readonly string[]> {
  const tags = text === "" ? [] : text.split(",").map((tag) => tag.trim());
  const odd = tags.find((tag) => !WORD.test(tag));
  if (odd === undefined) return accept([...new Set(tags)]);
  return refuse(
    `tag ${quote(odd)} is not allowed: 1 to 63 letters, digits, "_", "." or "-", as in tags blue,canary`,
  );
}

/** Free data for templates from pairs of key and value; sorted by key. A key given twice is refused. */
export function parseMeta(
  pairs: readonly (readonly [key: string, value: string])[],
): Result<Record<string, string>> {
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    // `__proto__` is harmless in what we build, but not in what others may copy it into by assignment.
    if (!WORD.test(key) || key === "__proto__") {
      return refuse(`meta key ${quote(key)} is not allowed: 1 to 63 letters, digits, "_", "." or "-"`);
    }
    if (seen.has(key)) return refuse(`meta key ${quote(key)} is given twice`);
    seen.add(key);
    const checked = parseMetaValue(value);
    if (!checked.ok) return refuse(`meta ${key}: ${checked.reason}`);
  }
  return accept(Object.fromEntries(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** One value of `meta`: up to 256 printable ASCII characters without those that a configuration reads as syntax. */
export function parseMetaValue(text: string): Result<string> {
  if (META_VALUE.test(text)) return accept(text);
  return refuse(
    `${quote(text)} is not allowed: up to 256 printable ASCII characters without quotes, # \\ $ % ; and backtick`,
  );
}

/** `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off`. */
export function parseBoolean(text: string): Result<boolean> {
  const value = BOOLEANS.get(text.toLowerCase());
  return value === undefined ? refuse(`${quote(text)} is neither true nor false`) : accept(value);
}

function wholeNumber(text: string, min: number, max: number): Result<number> {
  const value = /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return accept(value);
  return refuse(`${quote(text)} is not a whole number from ${min} to ${max}`);
}

function path(text: string): Result<string> {
  if (PATH.test(text)) return accept(text);
  return refuse(
    `${quote(text)} is not allowed: a path begins with "/" and has up to 256 letters, digits or ._~/?&=+:@,-`,
  );
}

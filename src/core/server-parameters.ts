import type { Abilities } from "./abilities.ts";
import { parseHostPort } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { NEGATIONS, SERVER_KEYWORDS } from "./server-keywords.ts";

/** A `server` line, split into what can be changed while HAProxy runs and what cannot. */
export interface ServerParameters {
  /** Canonical IP literal; null for a host name, which HAProxy resolves. */
  readonly address: string | null;
  readonly port: number;
  readonly weight: number;
  /** 0 = no limit. */
  readonly maxconn: number;
  readonly disabled: boolean;
  /** Whether HAProxy checks it. */
  readonly checked: boolean;
  readonly backup: boolean;
  /** True when an agent on the server may change its weight and state at any time. */
  readonly hasAgent: boolean;
  /** Keyword and value of all the rest, each keyword once: two servers with equal ones can become each other. */
  readonly rest: ReadonlyMap<string, string | null>;
}

/** HAProxy's weight of a server that has none in its line. */
const DEFAULT_WEIGHT = "1";
/** HAProxy takes 64 words with the four before these; up to 3.0 it leaves out the rest without a word (measured). */
const MAX_WORDS = 60;
const speaksH2 = ({ rest }: ServerParameters): boolean =>
  rest.get("proto") === "h2" || /(?:^|,)h2(?:,|$)/.test(rest.get("alpn") ?? "");
/** What needs no quotes on the socket, where quoting has other rules than in the file. */
const PLAIN_WORD = /^[A-Za-z0-9_.:/[\]@%+,=()*-]+$/;

/** Reads what `serverWords` of the proxy's settings gives; refuses a line with words that are not known here. */
export function serverParameters(line: {
  address: string;
  words: readonly string[];
}): Result<ServerParameters> {
  const read = keywords(line.words);
  if (!read.ok) return read;
  const rest = read.value;
  const weight = rest.get("weight") ?? DEFAULT_WEIGHT;
  if (!/^[0-9]+$/.test(weight) || Number(weight) > 256) return refuse(`weight ${weight} is not known here`);
  const maxconn = rest.get("maxconn") ?? "0";
  if (!/^[0-9]+$/.test(maxconn)) return refuse(`maxconn ${maxconn} is not known here`);
  const disabled = rest.delete("disabled");
  for (const name of ["weight", "maxconn"]) rest.delete(name);
  const place = parseHostPort(line.address);
  const isLiteral = place.ok && /^[0-9.]+$|:/.test(place.value.address);
  if (!isLiteral) rest.set("address", line.address);
  return accept({
    address: isLiteral ? place.value.address : null,
    port: place.ok ? place.value.port : 0,
    weight: Number(weight),
    maxconn: Number(maxconn),
    disabled,
    checked: rest.has("check"),
    backup: rest.has("backup"),
    hasAgent: rest.has("agent-check"),
    rest,
  });
}

/** Each keyword once, with its last value: that of the line itself overrides the one of `default-server`. */
function keywords(words: readonly string[]): Result<Map<string, string | null>> {
  const found = new Map<string, string | null>();
  for (let at = 0; at < words.length; at++) {
    const name = words[at] ?? "";
    const count = SERVER_KEYWORDS.get(name);
    const negated = NEGATIONS.get(name);
    if (negated !== undefined) found.delete(negated);
    else if (count === undefined) return refuse(`"${name}" is not known here`);
    else found.set(name, count === 0 ? null : (words[++at] ?? ""));
  }
  return accept(found);
}

/** The words with which `add server` gets such a server; refused is what the running HAProxy could not be given. */
export function addWords(server: ServerParameters, abilities: Abilities): Result<readonly string[]> {
  if (server.address === null) return refuse("a host name is resolved only after a reload");
  const words: string[] = [];
  for (const [name, value] of server.rest) {
    if (!abilities.keywords.has(name)) return refuse(`"${name}" cannot be given to a running HAProxy`);
    if (value !== null && !PLAIN_WORD.test(value))
      return refuse(`"${name}" has a value that only the file can hold`);
    words.push(...(value === null ? [name] : [name, value]));
  }
  if (server.weight !== Number(DEFAULT_WEIGHT)) words.push("weight", String(server.weight));
  if (server.maxconn !== 0) words.push("maxconn", String(server.maxconn));
  for (const { words: pair, after } of abilities.missingDefaults)
    if (!server.rest.has(pair[0]) && (after === null || server.rest.has(after))) words.push(...pair);
  if (!abilities.multiplexesAdded && speaksH2(server))
    return refuse("HAProxy 2.6 would open one connection for each request of HTTP/2");
  if (words.length > MAX_WORDS) return refuse("it has more words than a line on the socket");
  return accept(words);
}

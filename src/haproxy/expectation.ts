import { parseHost, parseHostPort } from "../core/address.ts";
import { readConfig, serverLines } from "../core/haproxy-config.ts";
import type { Stamp, Stamped } from "../core/stamp.ts";
import type { Info, RunningServer } from "./running.ts";

/** What a worker must say before a candidate counts as applied. */
export interface Expectation {
  /** Stamp in its description; nulls when the candidate has none. */
  readonly stamp: Stamp;
  /** Address by `backend/server`, null where only HAProxy knows it (host names); null = the set cannot be told. */
  readonly servers: ReadonlyMap<string, string | null> | null;
}

/**
 * Reads from a configuration what a worker that runs it must say. The set of servers cannot be told from a text with
 * conditional blocks, server templates, or names from the environment: only HAProxy knows what becomes of them.
 */
export function expectationOf({ text, revision, digest }: Stamped): Expectation {
  const stamp = { revision, digest };
  const sections = readConfig(text);
  const lines = serverLines(sections);
  const keywords = sections.flatMap((section) => section.lines.map((line) => line.words[0] ?? ""));
  const unknown = keywords.some((word) => word.startsWith(".if") || word === "server-template");
  if (unknown || lines.some(({ backend, name }) => `${backend}${name}`.includes("$")))
    return { stamp, servers: null };
  return {
    stamp,
    servers: new Map(lines.map((line) => [`${line.backend}/${line.name}`, literal(line.address)])),
  };
}

/** `10.0.0.5 80`, or null where the address is not written out. */
function literal(address: string): string | null {
  const parsed = parseHostPort(address);
  return parsed.ok && /^[0-9.]+$|:/.test(parsed.value.address)
    ? `${parsed.value.address} ${parsed.value.port}`
    : null;
}

/** The first difference between what is expected and what a worker says, in words; null = none. */
export function difference(
  expected: Expectation,
  running: { info: Info; servers: readonly RunningServer[] },
): string | null {
  const { stamp } = running.info;
  if (stamp.revision !== expected.stamp.revision || stamp.digest !== expected.stamp.digest) {
    const shown = (one: Stamp): string =>
      one.revision === null ? "(none)" : `${one.revision} ${one.digest}`;
    return `it runs revision ${shown(stamp)}, wanted is ${shown(expected.stamp)}`;
  }
  return expected.servers === null ? null : differentServers(expected.servers, running.servers, stamp);
}

function differentServers(
  wanted: ReadonlyMap<string, string | null>,
  running: readonly RunningServer[],
  stamp: Stamp,
): string | null {
  const backends = new Set([...wanted.keys()].map((key) => key.slice(0, key.lastIndexOf("/"))));
  const seen = new Set<string>();
  for (const { backend, name, address, port } of running) {
    // The stamp vouches for our text; what other backends there are comes from other files (haproxy -f FOLDER).
    if (stamp.revision !== null && !backends.has(backend)) continue;
    const key = `${backend}/${name}`;
    const place = wanted.get(key);
    if (place === undefined) return `it has server ${key}, which is not wanted`;
    const canonical = parseHost(address);
    const found = `${canonical.ok ? canonical.value : address} ${port}`;
    if (place !== null && place !== found) return `server ${key} is ${found}, not ${place}`;
    seen.add(key);
  }
  for (const key of wanted.keys()) if (!seen.has(key)) return `it lacks server ${key}`;
  return null;
}

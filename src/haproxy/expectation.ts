import { parseHostPort } from "../core/address.ts";
import { readConfig, serverLines } from "../core/haproxy-config.ts";
import type { Info, RunningServer } from "./running.ts";

/** What a worker must say before a candidate counts as applied. */
export interface Expectation {
  /** Revision in its description; null when the candidate has none. */
  readonly revision: string | null;
  /** Address by `backend/server`, null where only HAProxy knows it (host names); null = the set cannot be told. */
  readonly servers: ReadonlyMap<string, string | null> | null;
}

/**
 * Reads from a configuration what a worker that runs it must say. The set of servers cannot be told from a text with
 * conditional blocks or server templates: only HAProxy knows what becomes of them.
 */
export function expectationOf(text: string, revision: string | null): Expectation {
  const sections = readConfig(text);
  const keywords = sections.flatMap((section) => section.lines.map((line) => line.words[0] ?? ""));
  if (keywords.some((word) => word.startsWith(".if") || word === "server-template"))
    return { revision, servers: null };
  const servers = new Map<string, string | null>();
  for (const { backend, name, address } of serverLines(sections)) {
    const parsed = parseHostPort(address);
    const literal = parsed.ok && /^[0-9.]+$|:/.test(parsed.value.address);
    servers.set(`${backend}/${name}`, literal ? `${parsed.value.address} ${parsed.value.port}` : null);
  }
  return { revision, servers };
}

/** The first difference between what is expected and what a worker says, in words; null = none. */
export function difference(
  expected: Expectation,
  running: { info: Info; servers: readonly RunningServer[] },
): string | null {
  if (expected.revision !== null && running.info.revision !== expected.revision) {
    return `it runs revision ${running.info.revision ?? "(none)"}, wanted is ${expected.revision}`;
  }
  if (expected.servers === null) return null;
  const seen = new Set<string>();
  for (const { backend, name, address, port } of running.servers) {
    const key = `${backend}/${name}`;
    const wanted = expected.servers.get(key);
    if (wanted === undefined) return `it has server ${key}, which is not wanted`;
    if (wanted !== null && wanted !== `${address} ${port}`)
      return `server ${key} is ${address} ${port}, not ${wanted}`;
    seen.add(key);
  }
  for (const key of expected.servers.keys()) if (!seen.has(key)) return `it lacks server ${key}`;
  return null;
}

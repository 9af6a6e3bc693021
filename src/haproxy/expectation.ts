import { type Difference, differences } from "../core/drift.ts";
import type { Stamp, Stamped } from "../core/stamp.ts";
import { wantedServers, type WantedServers } from "../core/wanted-servers.ts";
import type { Running } from "./running.ts";

/** What a worker must say before a candidate counts as applied. */
export interface Expectation {
  /** Stamp in its description; `digest` null = any, since it stays that of the last reload while servers change. */
  readonly stamp: Stamp;
  readonly wanted: WantedServers;
}

/** Reads from a configuration what a worker that has just read it must say. */
export const expectationOf = ({ sections, revision, digest }: Stamped): Expectation => ({
  stamp: { revision, digest },
  wanted: wantedServers(sections),
});

/** What a worker says that is not as expected. */
export interface Mismatch {
  /** The first difference in words. */
  readonly what: string;
  /** Null when it runs another text altogether. */
  readonly differences: readonly Difference[] | null;
}

const NONE: ReadonlySet<string> = new Set();

/** @returns null when all is as expected. */
export function mismatch(
  expected: Expectation,
  running: Running,
  leaving: { has(key: string): boolean } = NONE,
): Mismatch | null {
  const { stamp } = running.info;
  const isOther =
    stamp.revision !== expected.stamp.revision ||
    (expected.stamp.digest !== null && stamp.digest !== expected.stamp.digest);
  if (isOther) {
    const what = `it runs revision ${shown(stamp)}, wanted is ${shown(expected.stamp)}`;
    return { what, differences: null };
  }
  const found = differences(expected.wanted, running.servers, leaving);
  return found[0] === undefined ? null : { what: found[0].what, differences: found };
}

/** Whether a reload would mend it: which servers there are, and where; their states have other reasons. */
export const isMisplaced = ({ differences: found }: Mismatch): boolean =>
  found === null || found.some(({ kind }) => ["missing", "extra", "address"].includes(kind));

const shown = ({ revision, digest }: Stamp): string =>
  revision === null ? "(none)" : `${revision} ${digest ?? ""}`.trim();

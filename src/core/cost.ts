import type { Abilities } from "./abilities.ts";

/** So few changes never cost more than a reload does beside its time: a second worker, counters and checks anew. */
const ALWAYS_RUNTIME = 200;
/** Milliseconds for one operation of a few commands, more for each server that the backend has (measured). */
const OPERATION_MS = 0.1;
const OPERATION_MS_PER_SERVER = 1e-4;
/** Milliseconds for reading one server from the file. */
const SERVER_MS = 0.015;
/** Up to 3.0 HAProxy compares the name of each server with all others of its backend. */
const PAIR_MS = 1.7e-5;
/** What a reload costs beside its time: a second worker, counters and checks that begin anew. */
const WORTH = 10;

/**
 * Whether so many operations take longer than one reload of a file with so many servers, by far.
 */
export function reloadIsCheaper(given: {
  operations: number;
  servers: number;
  abilities: Abilities | null;
}): boolean {
  const { operations, servers, abilities } = given;
  if (operations <= ALWAYS_RUNTIME) return false;
  // The check reads the file too.
  const pairs = abilities?.hasQuadraticParse === true ? 2 * PAIR_MS * servers ** 2 : 0;
  const reloadMs = WORTH * (50 + SERVER_MS * servers) + pairs;
  const runtimeMs = operations * (OPERATION_MS + OPERATION_MS_PER_SERVER * servers);
  return runtimeMs > reloadMs;
}

import type { Roster } from "./core/roster.ts";
import type { Refusal } from "./core/snapshot.ts";
import type { Logger } from "./lib/logger.ts";

/** More new refusals than this at once are only counted: a poisoned prefix must not flood the log. */
const MAX_LINES = 20;

/** Logs each refused entry once, when it appears or its reason changes, and nothing when it goes. */
export function refusalTeller(log: Logger): (roster: Roster | null) => void {
  let told = new Set<string>();
  return (roster) => {
    if (roster === null) return;
    const now = new Map(roster.quarantined.map((refusal) => [keyOf(refusal), refusal]));
    const fresh = [...now].filter(([key]) => !told.has(key)).map(([, refusal]) => refusal);
    for (const { origin, reason } of fresh.slice(0, MAX_LINES)) {
      log.warn({ source: origin.source, entry: origin.id, revision: origin.revision, reason }, "quarantined");
    }
    if (fresh.length > MAX_LINES)
      log.warn({ count: fresh.length - MAX_LINES }, "more entries are quarantined");
    told = new Set(now.keys());
  };
}

const keyOf = ({ origin, reason }: Refusal): string => `${origin.source} ${origin.id} ${reason}`;

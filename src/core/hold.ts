import { type Ending, replacement, servedBefore, takenOut } from "./hold-reasons.ts";
import type { Roster } from "./roster.ts";
import type { Server } from "./server.ts";
import type { Snapshot, Vanished } from "./snapshot.ts";

/** What HAProxy says of a server. `absent`: it has none such. `unchecked`: nobody asks the server how it is. */
export type Health = "up" | "down" | "unchecked" | "absent";

/** A server that vanished and is served on. */
export interface Held {
  readonly vanished: Vanished;
  /** As it was wanted last, overrides included. */
  readonly server: Server;
  /** HAProxy said UP after the server had vanished; false = it was not heard yet. */
  readonly isUp: boolean;
}

export interface Ended {
  readonly held: Held;
  readonly why: Ending;
}

/** What was decided about the servers that are listed as vanished. What has ended is never held again. */
export interface HoldState {
  readonly held: ReadonlyMap<Vanished, Held>;
  readonly ended: ReadonlySet<Vanished>;
}

export interface HoldStep {
  readonly state: HoldState;
  /** Of which HAProxy now said for the first time that they are UP. */
  readonly begun: readonly Held[];
  readonly ended: readonly Ended[];
}

interface Given {
  readonly snapshots: readonly Snapshot[];
  /** What was wanted before; null = nothing was yet. */
  readonly roster: Roster | null;
  /** What HAProxy says; null = it was not asked, or did not answer. */
  readonly health: ((server: Server) => Health) | null;
  readonly nowMs: number;
  readonly holdMs: number;
}

export const NOTHING_HELD: HoldState = { held: new Map(), ended: new Set() };

/**
 * Which of the vanished servers are served on. HAProxy's check is the second witness: a server is held while it says
 * UP, until it is registered again, an operator takes it out, something else stands in its place, or the time is over.
 * Until HAProxy was heard for the first time it is served on as well.
 */
export function hold(before: HoldState, given: Given): HoldStep {
  const listed = given.snapshots.flatMap(({ vanished }) => vanished);
  if (listed.length === 0 && before.held.size === 0) return { state: NOTHING_HELD, begun: [], ended: [] };
  const held = new Map<Vanished, Held>();
  const over = new Set(listed.filter((vanished) => before.ended.has(vanished)));
  const [begun, ended]: [Held[], Ended[]] = [[], []];
  const open = listed.filter((vanished) => !over.has(vanished));
  const judge = judgeOf(given, open);
  for (const vanished of open) {
    const known = before.held.get(vanished);
    const now = judge(vanished, known);
    if (now === null || "why" in now) over.add(vanished);
    else held.set(vanished, now);
    if (now === null) continue;
    if ("why" in now) ended.push(now);
    else if (now.isUp && known?.isUp !== true) begun.push(now);
  }
  for (const [vanished, one] of before.held) {
    if (held.has(vanished) || over.has(vanished)) continue;
    ended.push({ held: one, why: isOver(vanished, given) ? "time is over" : "registered again" });
  }
  return { state: { held, ended: over }, begun, ended };
}

/** Says of a vanished server what becomes of it now; null = it was not to be served, there is nothing to hold. */
function judgeOf(given: Given, open: readonly Vanished[]) {
  const { snapshots, roster } = given;
  const wanted = servedBefore(roster);
  const replaced = replacement(snapshots, open);
  const drained = takenOut(snapshots);
  return (vanished: Vanished, known: Held | undefined): Held | Ended | null => {
    const server = known?.server ?? wanted(vanished.server);
    if (server === null) return null;
    const health = given.health?.(server) ?? null;
    const isUp = known?.isUp === true || health === "up";
    const now: Held = { vanished, server, isUp };
    const timeOver = isOver(vanished, given) ? "time is over" : null;
    const why = drained(server) ?? replaced(server) ?? timeOver ?? contradicted(health, isUp);
    return why === null ? now : { held: now, why };
  };
}

function contradicted(health: Health | null, wasUp: boolean): Ending | null {
  if (health === "down") return "not UP by HAProxy's check";
  if (health === "unchecked") return "no check in HAProxy";
  // Later it may lack the server for a moment: after a restart, until the next pass.
  return health === "absent" && !wasUp ? "not UP by HAProxy's check" : null;
}

const isOver = ({ sinceMs }: Vanished, { nowMs, holdMs }: Given): boolean => nowMs >= sinceMs + holdMs;

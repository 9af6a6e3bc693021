import type { Roster } from "./roster.ts";

/** A backend that lost more than half of its servers in one step. */
export interface BigLoss {
  readonly backend: string;
  readonly before: number;
  readonly removed: number;
}

/** Fewer than these are nothing to be alarmed about. */
const MIN_LOSS = 2;

/** Backends that lost more than half of their servers from one roster to the next. */
export function bigLosses(before: Roster | null, after: Roster): readonly BigLoss[] {
  const now = new Map(after.backends.map(({ name, servers }) => [name, servers]));
  return (before?.backends ?? []).flatMap(({ name, servers }) => {
    const rest = now.get(name);
    if (rest === servers) return [];
    const kept = new Set((rest ?? []).map((server) => server.name));
    const removed = servers.filter((server) => !kept.has(server.name)).length;
    const isBig = removed >= MIN_LOSS && removed * 2 > servers.length;
    return isBig ? [{ backend: name, before: servers.length, removed }] : [];
  });
}

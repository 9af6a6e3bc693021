import type { Held, HoldState } from "./hold.ts";
import { withKeys } from "./key-table.ts";
import { compareText } from "./compare-text.ts";
import type { Snapshot } from "./snapshot.ts";

/** The snapshots with the held servers in them, as if they had not vanished. */
export function withHeld(snapshots: readonly Snapshot[], { held }: HoldState): readonly Snapshot[] {
  if (held.size === 0) return snapshots;
  return snapshots.map((one) => {
    const kept = one.vanished.flatMap((vanished) => held.get(vanished) ?? []).toSorted(byKey);
    if (kept.length === 0) return one;
    const plains = kept.flatMap(({ vanished }) => vanished.plain ?? []);
    const servers = [...one.servers, ...kept.map(({ server }) => server)];
    return { ...one, servers, keys: withKeys(one.keys, plains) };
  });
}

/** The snapshots with all that vanished in them: what was wanted before, as far as they tell. */
export function withVanished(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  const all = snapshots.flatMap(({ vanished }) => vanished);
  const held = new Map(all.map((vanished) => [vanished, { vanished, server: vanished.server, isUp: false }]));
  return withHeld(snapshots, { held, ended: new Set() });
}

const byKey = (a: Held, b: Held): number => compareText(a.server.origin.id, b.server.origin.id);

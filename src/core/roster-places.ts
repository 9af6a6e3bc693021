import { hostPort, type Server } from "./server.ts";
import type { Override, Refusal, Snapshot } from "./snapshot.ts";

/** Who is served where under which name. */
export interface Placed {
  /** By backend; sorted by name, no name twice. */
  readonly servers: ReadonlyMap<string, readonly Server[]>;
  readonly warnings: readonly Refusal[];
}

type Groups = Map<string, Server[]>;

/**
 * Finds a place for each server, and lays the overrides over them. The backends of `others` exist too, if need be
 * without servers.
 */
export function placeServers(snapshots: readonly Snapshot[], others: readonly string[]): Placed {
  const groups = groupServers(snapshots);
  for (const name of others) if (!groups.has(name)) groups.set(name, []);
  const warnings = settleClashes(groups, snapshots);
  for (const override of snapshots.flatMap((one) => one.overrides)) {
    const unused = lay(override, groups.get(override.backend) ?? []);
    if (unused !== null) warnings.push(unused);
  }
  return { servers: groups, warnings };
}

function groupServers(snapshots: readonly Snapshot[]): Groups {
  const groups: Groups = new Map();
  for (const { servers } of snapshots) {
    let [name, group]: [string | null, Server[]] = [null, []];
    servers.forEach((server) => {
      if (server.backend !== name) {
        name = server.backend;
        group = groups.get(name) ?? [];
        groups.set(name, group);
      }
      group.push(server);
    });
  }
  return groups;
}

/** Sorts each group by name, which most are already; where names clash, its servers are placed one by one. */
function settleClashes(groups: Groups, snapshots: readonly Snapshot[]): Refusal[] {
  const clashing = new Map<string, Map<string, Server>>();
  for (const [name, servers] of groups) {
    if (isAscending(servers)) continue;
    servers.sort(byName);
    if (!isAscending(servers)) clashing.set(name, new Map());
  }
  const warnings: Refusal[] = [];
  if (clashing.size === 0) return warnings;
  for (const server of snapshots.flatMap((one) => one.servers)) {
    const taken = clashing.get(server.backend);
    if (taken === undefined) continue;
    const { kept, warning } = place(server, taken);
    if (kept !== null) taken.set(kept.name, kept);
    if (warning !== null) warnings.push(warning);
  }
  for (const [name, taken] of clashing) groups.set(name, [...taken.values()].toSorted(byName));
  return warnings;
}

const byName = (a: Server, b: Server): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Whether each name is greater than the one before. */
function isAscending(servers: readonly Server[]): boolean {
  return servers.every(({ name }, at) => at === 0 || (servers[at - 1] as Server).name < name);
}

interface Place {
  readonly kept: Server | null;
  readonly warning: Refusal | null;
}

/** Finds the name under which `server` can be served beside those `taken`. */
function place(server: Server, taken: ReadonlyMap<string, Server>): Place {
  const holder = taken.get(server.name);
  if (holder === undefined) return { kept: server, warning: null };
  const whose = `${holder.origin.source} ${holder.origin.id}`;
  const refusal = (reason: string): Refusal => ({ origin: server.origin, reason });
  if (hostPort(holder) === hostPort(server)) {
    return { kept: null, warning: refusal(`the same server as ${whose}, which is served in its place`) };
  }
  const name = `${server.name.slice(0, 62 - server.suffix.length)}-${server.suffix}`;
  if (taken.has(name)) return { kept: null, warning: refusal(`names ${server.name} and ${name} are taken`) };
  const warning = refusal(`name ${server.name} is held by ${whose}; served as ${name}`);
  return { kept: { ...server, name }, warning };
}

/** Lays an override over its server among `servers`; returns a warning when there is no such server. */
function lay(override: Override, servers: Server[]): Refusal | null {
  const at = indexOf(override.name, servers);
  const server = servers[at];
  if (server === undefined || server.name !== override.name) {
    return { origin: override.origin, reason: `no server ${override.backend}/${override.name} to override` };
  }
  const state = override.state ?? server.state;
  const weight = override.weight ?? server.weight;
  servers[at] = { ...server, state, weight };
  return null;
}

/** Where the server called `name` is in the sorted list, or would have to be. */
function indexOf(name: string, servers: readonly Server[]): number {
  let [low, high] = [0, servers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((servers[middle]?.name ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

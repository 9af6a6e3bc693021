import type { Roster } from "./roster.ts";
import { hostPort, type Server } from "./server.ts";
import type { Snapshot, Vanished } from "./snapshot.ts";

/** Why a server is not held, or no longer. */
export type Ending =
  | "registered again"
  | "replaced by another server"
  | "taken out by an override"
  | "let go by an operator"
  | "not UP by HAProxy's check"
  | "no check in HAProxy"
  | "time is over";

/** Why a server is not to be held; null = nothing is said against it. */
type Verdict = (server: Server) => Ending | null;

/** Finds a server as it was wanted; null where it was not to be served. */
export function servedBefore(roster: Roster | null): (server: Server) => Server | null {
  const indexes = new Map<string, ReadonlyMap<string, Server>>();
  const indexOf = (name: string): ReadonlyMap<string, Server> => {
    const servers = roster?.backends.find((backend) => backend.name === name)?.servers ?? [];
    return new Map(servers.map((server) => [server.name, server]));
  };
  return (server) => {
    if (roster === null) return server;
    const index = indexes.get(server.backend) ?? indexOf(server.backend);
    indexes.set(server.backend, index);
    const found = index.get(server.name);
    const isIt = found?.origin.id === server.origin.id && found.origin.source === server.origin.source;
    return isIt && found.state === "ready" ? found : null;
  };
}

/** A server that is there goes before one that vanished, where they have one name or one address. */
export function replacement(snapshots: readonly Snapshot[], vanished: readonly Vanished[]): Verdict {
  const names = new Set(vanished.map(({ server }) => server.name));
  const addresses = new Set(vanished.map(({ server }) => server.address));
  const taken = new Set<string>();
  for (const { servers } of snapshots) {
    for (const server of servers) {
      if (names.has(server.name)) taken.add(`${server.backend} ${server.name}`);
      if (addresses.has(server.address)) taken.add(`${server.backend} ${hostPort(server)}`);
    }
  }
  return ({ backend, name, ...server }) =>
    taken.has(`${backend} ${name}`) || taken.has(`${backend} ${hostPort(server)}`)
      ? "replaced by another server"
      : null;
}

/** An operator drains it, or has it in maintenance. */
export function takenOut(snapshots: readonly Snapshot[]): Verdict {
  const places = new Set<string>();
  for (const { overrides } of snapshots)
    for (const { backend, name, state } of overrides)
      if (state === "drain" || state === "maint") places.add(`${backend} ${name}`);
  return ({ backend, name }) => (places.has(`${backend} ${name}`) ? "taken out by an override" : null);
}

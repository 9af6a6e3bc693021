import { hostPort, type Route, type Server } from "./server.ts";
import type { Override, Refusal, Snapshot, Waiting } from "./snapshot.ts";

/** A backend and its servers, sorted by name. */
export interface Backend {
  readonly name: string;
  readonly servers: readonly Server[];
}

/** Requests that fit `host` and `path` go to `backend`. */
export interface BackendRoute extends Route {
  readonly backend: string;
}

/** The merged set of wanted servers. The same snapshots give the same roster, in the same order, on every machine. */
export interface Roster {
  /** Sorted by name; the default backend is always there, even when it is empty. */
  readonly backends: readonly Backend[];
  /** The most specific first: a host before a wildcard before none, then the longer wildcard, then the longer path. */
  readonly routes: readonly BackendRoute[];
  readonly quarantined: readonly Refusal[];
  readonly waiting: readonly Waiting[];
  readonly warnings: readonly Refusal[];
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * Merges the sources' pictures. Where two sources claim one name in one backend, the source that comes first in
 * `snapshots` keeps it and the other server is served under its name with a suffix; if both even have the same
 * address, they are one server and the second is left out. Operators' overrides are laid over the result.
 */
export function buildRoster(snapshots: readonly Snapshot[], options: { defaultBackend: string }): Roster {
  const byBackend = new Map<string, Map<string, Server>>([[options.defaultBackend, new Map()]]);
  const backendOf = (name: string): Map<string, Server> => {
    const servers = byBackend.get(name) ?? new Map<string, Server>();
    byBackend.set(name, servers);
    return servers;
  };
  const warnings = snapshots.flatMap((one) => one.warnings);
  for (const server of snapshots.flatMap((one) => one.servers)) {
    const { kept, warning } = place(server, backendOf(server.backend));
    if (kept !== null) backendOf(server.backend).set(kept.name, kept);
    if (warning !== null) warnings.push(warning);
  }
  const waiting = snapshots.flatMap((one) => one.waiting);
  for (const entry of waiting) backendOf(entry.backend);
  for (const override of snapshots.flatMap((one) => one.overrides)) {
    const unused = lay(override, byBackend.get(override.backend));
    if (unused !== null) warnings.push(unused);
  }
  const backends = [...byBackend]
    .map(([name, servers]) => ({ name, servers: [...servers.values()].toSorted(byName) }))
    .toSorted(byName);
  for (const backend of backends) warnings.push(...doubts(backend));
  return {
    backends,
    routes: collectRoutes(backends, waiting),
    quarantined: snapshots.flatMap((one) => one.quarantined).toSorted(byOrigin),
    waiting: waiting.toSorted(byOrigin),
    warnings: warnings.toSorted(byOrigin),
    keys: new Map(snapshots.flatMap((one) => [...one.keys])),
  };
}

/** Text order by code unit: the same on every machine, whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: { name: string }, b: { name: string }): number => compareText(a.name, b.name);
const byOrigin = (a: Refusal, b: Refusal): number =>
  compareText(a.origin.source, b.origin.source) || compareText(a.origin.id, b.origin.id);

interface Placed {
  readonly kept: Server | null;
  readonly warning: Refusal | null;
}

/** Finds the name under which `server` can be served beside those `taken`. */
function place(server: Server, taken: ReadonlyMap<string, Server>): Placed {
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

/** Lays an override over its server; returns a warning when there is no such server. */
function lay(override: Override, servers: Map<string, Server> | undefined): Refusal | null {
  const server = servers?.get(override.name);
  if (servers === undefined || server === undefined) {
    return { origin: override.origin, reason: `no server ${override.backend}/${override.name} to override` };
  }
  const state = override.state ?? server.state;
  const weight = override.weight ?? server.weight;
  servers.set(server.name, { ...server, state, weight });
  return null;
}

/** What is served, but looks like a mistake. */
function doubts(backend: Backend): readonly Refusal[] {
  const found: Refusal[] = [];
  const byAddress = new Map<string, Server>();
  let checkedPath: { path: string; server: Server } | null = null;
  for (const server of backend.servers) {
    const twin = byAddress.get(hostPort(server));
    if (twin === undefined) byAddress.set(hostPort(server), server);
    else
      found.push({
        origin: server.origin,
        reason: `same address as ${twin.name} in backend ${backend.name}`,
      });
    const path = server.check === false ? null : server.check.path;
    if (path === null) continue;
    checkedPath ??= { path, server };
    if (checkedPath.path === path) continue;
    const other = `${checkedPath.path} of ${checkedPath.server.name}`;
    found.push({
      origin: server.origin,
      reason: `check path ${path}: a backend has one path, ${other} is used`,
    });
  }
  return found;
}

function collectRoutes(backends: readonly Backend[], waiting: readonly Waiting[]): readonly BackendRoute[] {
  const routes = new Map<string, BackendRoute>();
  const add = (backend: string, route: Route): void => {
    routes.set(`${route.host ?? ""} ${route.path ?? ""} ${backend}`, { ...route, backend });
  };
  for (const { name, servers } of backends) {
    for (const server of servers) for (const route of server.routes) add(name, route);
  }
  for (const entry of waiting) for (const route of entry.routes) add(entry.backend, route);
  return [...routes.values()].toSorted(bySpecificity);
}

function bySpecificity(a: BackendRoute, b: BackendRoute): number {
  const rank = (route: Route): number => (route.host === null ? 0 : route.host.startsWith("*.") ? 1 : 2);
  const length = (route: Route): number => (rank(route) === 1 ? (route.host?.length ?? 0) : 0);
  return (
    rank(b) - rank(a) ||
    length(b) - length(a) ||
    (b.path?.length ?? 0) - (a.path?.length ?? 0) ||
    compareText(a.host ?? "", b.host ?? "") ||
    compareText(a.path ?? "", b.path ?? "") ||
    compareText(a.backend, b.backend)
  );
}

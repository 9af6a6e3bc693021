import { compareText } from "./compare-text.ts";
import { type Backend, backendFollower, type BackendFollower, type BackendView } from "./roster-backend.ts";
import { placeServers } from "./roster-places.ts";
import type { Route } from "./server.ts";
import type { Refusal, Snapshot, Waiting } from "./snapshot.ts";

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

/** Makes one roster after another. */
export type RosterBuilder = (snapshots: readonly Snapshot[]) => Roster;

/**
 * Merges the sources' pictures. Where two sources claim one name in one backend, the source that comes first in
 * `snapshots` keeps it and the other server is served under its name with a suffix; if both even have the same
 * address, they are one server and the second is left out. Operators' overrides are laid over the result.
 */
export function buildRoster(snapshots: readonly Snapshot[], options: { defaultBackend: string }): Roster {
  return rosterBuilder(options)(snapshots);
}

/**
 * The same for pictures that follow one another: only what is new in them is looked at closely, and a backend whose
 * servers are the same objects as before is the same object. The result does not depend on what was built before.
 */
export function rosterBuilder({ defaultBackend }: { defaultBackend: string }): RosterBuilder {
  let followers: ReadonlyMap<string, BackendFollower> = new Map();
  return (snapshots) => {
    const waiting = snapshots.flatMap((one) => one.waiting);
    const placed = placeServers(snapshots, [defaultBackend, ...waiting.map(({ backend }) => backend)]);
    const names = [...placed.servers.keys()].toSorted(compareText);
    followers = new Map(names.map((name) => [name, followers.get(name) ?? backendFollower(name)]));
    const views = [...followers].map(([name, follow]) => follow(placed.servers.get(name) ?? []));
    const warnings = [
      ...snapshots.flatMap((one) => one.warnings),
      ...placed.warnings,
      ...views.flatMap(({ doubts }) => doubts),
    ];
    return {
      backends: views.map(({ backend }) => backend),
      routes: collectRoutes(views, waiting),
      quarantined: snapshots.flatMap((one) => one.quarantined).toSorted(byOrigin),
      waiting: waiting.toSorted(byOrigin),
      warnings: warnings.toSorted(byOrigin),
      keys: mergeKeys(snapshots),
    };
  };
}

const byOrigin = (a: Refusal, b: Refusal): number =>
  compareText(a.origin.source, b.origin.source) || compareText(a.origin.id, b.origin.id);

/** Only one source has keys, as a rule; its own table then costs nothing. */
function mergeKeys(snapshots: readonly Snapshot[]): ReadonlyMap<string, string> {
  const [first, ...more] = snapshots.map((one) => one.keys).filter((keys) => keys.size > 0);
  if (first === undefined || more.length === 0) return first ?? new Map();
  return new Map([first, ...more].flatMap((keys) => [...keys]));
}

function collectRoutes(views: readonly BackendView[], waiting: readonly Waiting[]): readonly BackendRoute[] {
  const found = new Map<string, BackendRoute>();
  const add = (backend: string, route: Route): void => {
    found.set(`${route.host ?? ""} ${route.path ?? ""} ${backend}`, { ...route, backend });
  };
  for (const { backend, routes } of views) for (const route of routes) add(backend.name, route);
  for (const { backend, routes } of waiting) for (const route of routes) add(backend, route);
  return [...found.values()].toSorted(bySpecificity);
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

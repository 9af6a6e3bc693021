import { hostPort, type Route, type Server } from "./server.ts";
import type { Refusal } from "./snapshot.ts";

/** A backend and its servers, sorted by name. */
export interface Backend {
  readonly name: string;
  readonly servers: readonly Server[];
}

/** A backend, and what follows from its servers. */
export interface BackendView {
  readonly backend: Backend;
  /** Routes of its servers, each once. */
  readonly routes: readonly Route[];
  /** What is served, but looks like a mistake. */
  readonly doubts: readonly Refusal[];
}

/** Takes all servers of one backend, sorted by name, no name twice. */
export type BackendFollower = (servers: readonly Server[]) => BackendView;

/**
 * Follows the servers of the backend `name` from one roster to the next. They are compared by identity: the same
 * objects give the very same view, and else only what differs is looked at closely.
 */
export function backendFollower(name: string): BackendFollower {
  /** How many servers there are at each address. */
  const addresses = new Map<string, number>();
  let view: BackendView = { backend: { name, servers: [] }, routes: [], doubts: [] };
  const count = (server: Server, by: 1 | -1): void => {
    const address = hostPort(server);
    const servers = (addresses.get(address) ?? 0) + by;
    if (servers > 0) addresses.set(address, servers);
    else addresses.delete(address);
  };
  return (servers) => {
    const { gone, come } = difference(view.backend.servers, servers);
    if (gone.length === 0 && come.length === 0) return view;
    for (const server of gone) count(server, -1);
    for (const server of come) count(server, 1);
    const isRouted = gone.some(hasRoutes) || come.some(hasRoutes);
    const isDoubtful = addresses.size < servers.length || !haveOneCheckPath(servers);
    const backend = { name, servers };
    view = {
      backend,
      routes: isRouted ? routesOf(servers) : view.routes,
      doubts: isDoubtful ? doubtsOf(backend) : [],
    };
    return view;
  };
}

/** What only one of two lists has, both sorted by name. */
function difference(
  before: readonly Server[],
  after: readonly Server[],
): { gone: readonly Server[]; come: readonly Server[] } {
  const [gone, come]: [Server[], Server[]] = [[], []];
  let next = 0;
  after.forEach((server) => {
    let old = before[next];
    while (old !== undefined && old !== server && old.name <= server.name) {
      gone.push(old);
      old = before[++next];
    }
    if (old === server) next++;
    else come.push(server);
  });
  for (; next < before.length; next++) gone.push(before[next] as Server);
  return { gone, come };
}

const hasRoutes = (server: Server): boolean => server.routes.length > 0;

function routesOf(servers: readonly Server[]): readonly Route[] {
  const routes = new Map<string, Route>();
  for (const server of servers) {
    for (const route of server.routes) routes.set(`${route.host ?? ""} ${route.path ?? ""}`, route);
  }
  return [...routes.values()];
}

const checkPath = ({ check }: Server): string | null => (check === false ? null : check.path);

function haveOneCheckPath(servers: readonly Server[]): boolean {
  let path: string | null = null;
  return servers.every((server) => {
    const own = checkPath(server);
    path ??= own;
    return own === null || own === path;
  });
}

function doubtsOf(backend: Backend): readonly Refusal[] {
  const found: Refusal[] = [];
  const byAddress = new Map<string, Server>();
  let checked: Server | null = null;
  for (const server of backend.servers) {
    const { origin } = server;
    const twin = byAddress.get(hostPort(server));
    if (twin === undefined) byAddress.set(hostPort(server), server);
    else found.push({ origin, reason: `same address as ${twin.name} in backend ${backend.name}` });
    const path = checkPath(server);
    if (path === null) continue;
    checked ??= server;
    if (checkPath(checked) === path) continue;
    const other = `${checkPath(checked)} of ${checked.name}`;
    found.push({ origin, reason: `check path ${path}: a backend has one path, ${other} is used` });
  }
  return found;
}

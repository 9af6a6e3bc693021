import type { Backend } from "./roster-backend.ts";
import type { Roster } from "./roster.ts";
import type { Server } from "./server.ts";
import { hostPort } from "./server.ts";

/** Why the wanted servers changed, one for each server that did. */
export interface Cause {
  readonly kind: "added" | "removed" | "changed";
  readonly backend: string;
  readonly name: string;
  /** Who said so: the source, its key or container, and its revision of that entry. */
  readonly source: string;
  readonly id: string;
  readonly revision: string;
  /** `127.0.0.1:80 -> 127.0.0.1:81`, `weight 1 -> 2`; empty where the kind says it all. */
  readonly what: string;
}

/** What two rosters differ in; backends that did not change cost nothing. */
export function causes(before: Roster | null, after: Roster): readonly Cause[] {
  const found: Cause[] = [];
  const old = new Map((before?.backends ?? []).map((backend) => [backend.name, backend]));
  for (const backend of after.backends) {
    const was = old.get(backend.name);
    old.delete(backend.name);
    if (was?.servers !== backend.servers) compare(was, backend, found);
  }
  for (const gone of old.values()) compare(gone, { name: gone.name, servers: [] }, found);
  return found;
}

function compare(before: Backend | undefined, after: Backend, found: Cause[]): void {
  const was = new Map((before?.servers ?? []).map((server) => [server.name, server]));
  for (const server of after.servers) {
    const old = was.get(server.name);
    was.delete(server.name);
    if (old === server) continue;
    if (old === undefined) found.push(cause("added", server, hostPort(server)));
    else {
      const what = difference(old, server);
      if (what !== "") found.push(cause("changed", server, what));
    }
  }
  for (const server of was.values()) found.push(cause("removed", server, ""));
}

function cause(kind: Cause["kind"], { backend, name, origin }: Server, what: string): Cause {
  return { kind, backend, name, source: origin.source, id: origin.id, revision: origin.revision, what };
}

function difference(before: Server, after: Server): string {
  const pairs: readonly (readonly [string, string, string])[] = [
    ["", hostPort(before), hostPort(after)],
    ["state ", before.state, after.state],
    ["weight ", String(before.weight ?? "default"), String(after.weight ?? "default")],
    ["maxconn ", String(before.maxconn ?? "default"), String(after.maxconn ?? "default")],
    ["backup ", String(before.backup), String(after.backup)],
    ["check ", JSON.stringify(before.check), JSON.stringify(after.check)],
  ];
  return pairs
    .filter(([, a, b]) => a !== b)
    .map(([name, a, b]) => `${name}${a} -> ${b}`)
    .join(", ");
}

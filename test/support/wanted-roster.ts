import type { EtcdCalls } from "./etcd-calls.ts";
import { placeOf } from "./running-servers.ts";

/** What a key says about its server. */
export interface WantedServer {
  readonly host: string;
  readonly port: number;
  readonly weight?: number;
  readonly backup?: boolean;
  readonly maxconn?: number;
  readonly state?: "ready" | "drain" | "maint";
  /** `off`, `on`, or a path for an HTTP check. */
  readonly check?: string;
}

/** What an operator says about a server. */
export type WantedOverride = "drain" | "maint" | "ready" | `weight=${number}`;

/** One write to etcd about the server `BACKEND/NAME`; null takes the key away. */
export type Change = { readonly id: string } & (
  { readonly server: WantedServer | null } | { readonly override: WantedOverride | null }
);

/** Keys in etcd, and what HAProxy has to run because of them, told without Rollcall's own code. Immutable. */
export interface WantedRoster {
  /** By `BACKEND/NAME`. */
  readonly servers: ReadonlyMap<string, WantedServer>;
  after(change: Change): WantedRoster;
  /** What `placeOf` says of the servers of a HAProxy with the default template, in the same order. */
  places(): readonly string[];
  /** Addresses that get requests in a backend: `127.0.0.1:8001`. */
  takers(backend: string): ReadonlySet<string>;
}

interface Keys {
  readonly servers: ReadonlyMap<string, WantedServer>;
  readonly overrides: ReadonlyMap<string, WantedOverride>;
}

export function wantedRoster(keys: Keys = { servers: new Map(), overrides: new Map() }): WantedRoster {
  const { servers, overrides } = keys;
  const effective = (id: string, server: WantedServer): { weight: number; maint: boolean } => {
    const override = overrides.get(id);
    const isWeight = override?.startsWith("weight=") === true;
    const state = override === undefined || isWeight ? server.state : override;
    const weight = isWeight ? Number(override.slice("weight=".length)) : (server.weight ?? 1);
    return { weight: state === "drain" ? 0 : weight, maint: state === "maint" };
  };
  return {
    servers,
    after: (change) =>
      wantedRoster(
        "server" in change
          ? { overrides, servers: changed(servers, change.id, change.server) }
          : { servers, overrides: changed(overrides, change.id, change.override) },
      ),
    places: () =>
      [...servers]
        .map(([id, server]) => {
          const [backend = "", name = ""] = id.split("/");
          return { backend, name, address: server.host, port: server.port, ...effective(id, server) };
        })
        .toSorted((a, b) => compare(a.backend, b.backend) || compare(a.name, b.name))
        .map(placeOf),
    takers: (backend) => {
      const taking = [...servers].filter(([id, server]) => {
        const { weight, maint } = effective(id, server);
        return id.startsWith(`${backend}/`) && weight > 0 && !maint;
      });
      return new Set(taking.map(([, { host, port }]) => `${host}:${port}`));
    },
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function changed<T>(map: ReadonlyMap<string, T>, id: string, value: T | null): ReadonlyMap<string, T> {
  const copy = new Map(map);
  if (value === null) copy.delete(id);
  else copy.set(id, value);
  return copy;
}

/** Resolves when etcd has it. */
export async function writeChange(etcd: EtcdCalls, change: Change): Promise<void> {
  const key = `/app/${"server" in change ? "servers" : "overrides"}/${change.id}`;
  const value = "server" in change ? change.server && valueOf(change.server) : change.override;
  if (value === null) await etcd.del(key);
  else await etcd.put(key, value);
}

/** `10.0.0.5:80 weight=50 backup`; a JSON object where the weight is odd, so that both forms come up. */
function valueOf({ host, port, ...rest }: WantedServer): string {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  if ((rest.weight ?? 0) % 2 === 1) {
    const { check, ...others } = rest;
    const path = check?.startsWith("/") === true ? { path: check } : check !== "off";
    return JSON.stringify({ address, ...others, ...(check === undefined ? {} : { check: path }) });
  }
  return [address, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(" ");
}

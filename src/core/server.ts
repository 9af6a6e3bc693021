/** What the registry wants of a server: serve new connections, finish the old ones only, or nothing at all. */
export type ServerState = "ready" | "drain" | "maint";

/** HAProxy's own health check of a server; what is null is left to the template's default. */
export interface Check {
  /** Path of an HTTP check; null = a TCP connection. */
  readonly path: string | null;
  readonly intervalMs: number | null;
  readonly rise: number | null;
  readonly fall: number | null;
}

/** Requests for this host name and below this path go to the server's backend; null = any. */
export interface Route {
  readonly host: string | null;
  readonly path: string | null;
}

/** Where an entry comes from, for people: `etcd`, `/app/servers/web1`, `4711`. */
export interface Origin {
  /** Name of the source. */
  readonly source: string;
  /** The key, the container, the line of the file. */
  readonly id: string;
  /** The source's own version of this entry; only ever compared for equality. */
  readonly revision: string;
}

/**
 * A server that a source wants to be served. All of it is validated: names, addresses and numbers can be written
 * into HAProxy's configuration as they are.
 */
export interface Server {
  readonly backend: string;
  readonly name: string;
  /** Canonical IP literal (IPv6 without brackets) or a host name. */
  readonly address: string;
  readonly port: number;
  /** 0 to 256; null = the template's default. */
  readonly weight: number | null;
  readonly backup: boolean;
  readonly maxconn: number | null;
  readonly state: ServerState;
  readonly check: Check | false;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  readonly origin: Origin;
  /** Added to the name, after a hyphen, when another source holds the name: short and stable for this entry. */
  readonly suffix: string;
}

/** Everything of a server that a value or a set of labels can say; the rest comes from the key or the container. */
export type ServerFields = Pick<
  Server,
  "address" | "port" | "weight" | "backup" | "maxconn" | "state" | "check" | "tags" | "meta" | "routes"
>;

/**
 * A server of its fields and of what its key or container says. Written out, since objects that are put together by
 * spreading take half as much memory again.
 */
export function serverOf(fields: ServerFields, given: Omit<Server, keyof ServerFields>): Server {
  const { address, port, weight, backup, maxconn, state, check, tags, meta, routes } = fields;
  const { backend, name, origin, suffix } = given;
  return {
    backend,
    name,
    address,
    port,
    weight,
    backup,
    maxconn,
    state,
    check,
    tags,
    meta,
    routes,
    origin,
    suffix,
  };
}

/** A check with every detail left to the template. */
export const DEFAULT_CHECK: Check = Object.freeze({ path: null, intervalMs: null, rise: null, fall: null });

/** Shared by all servers that have none: most servers have nothing but an address. */
const NONE: readonly never[] = Object.freeze([]);
const NO_META: Readonly<Record<string, string>> = Object.freeze({});

/** The fields of a server of which nothing but its address is known. */
export function plainFields(address: string, port: number): ServerFields {
  return {
    address,
    port,
    weight: null,
    backup: false,
    maxconn: null,
    state: "ready",
    check: DEFAULT_CHECK,
    tags: NONE,
    meta: NO_META,
    routes: NONE,
  };
}

/** `10.0.0.5:80`, `[fd00::5]:80`. */
export function hostPort(server: { readonly address: string; readonly port: number }): string {
  return server.address.includes(":")
    ? `[${server.address}]:${server.port}`
    : `${server.address}:${server.port}`;
}

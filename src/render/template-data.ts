import type { BackendRoute, Roster } from "../core/roster.ts";
import { type Check, hostPort, type Server, type ServerState } from "../core/server.ts";

/** A server as a template sees it. */
export interface TemplateServer {
  readonly name: string;
  /** An IP literal (IPv6 without brackets) or a host name. */
  readonly address: string;
  readonly port: number;
  /** `10.0.0.5:80`, `[fd00::5]:80`. */
  readonly hostPort: string;
  /** True when the address is a name, which somebody must resolve. */
  readonly named: boolean;
  /** 0 to 256; null = not given. */
  readonly weight: number | null;
  readonly backup: boolean;
  readonly maxconn: number | null;
  readonly state: ServerState;
  readonly check: Check | false;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly source: { readonly source: string; readonly id: string; readonly revision: string };
}

/** What a template finds in `it`, apart from the functions. */
export interface TemplateData {
  /** By name, in the order of their names (names that are whole numbers come first, as JavaScript has it). */
  readonly backends: Readonly<Record<string, readonly TemplateServer[]>>;
  /** The servers of the default backend. */
  readonly servers: readonly TemplateServer[];
  /** The most specific first. */
  readonly routes: readonly BackendRoute[];
}

/**
 * The roster as a template sees it: frozen copies, and without prototypes where names come from outside, so that
 * `it.backends.toString` is undefined rather than a function.
 */
export function templateData(roster: Roster, defaultBackend: string): TemplateData {
  const backends = Object.create(null) as Record<string, readonly TemplateServer[]>;
  for (const backend of roster.backends) backends[backend.name] = Object.freeze(backend.servers.map(copy));
  return {
    backends: Object.freeze(backends),
    servers: backends[defaultBackend] ?? [],
    routes: Object.freeze(
      roster.routes.map(({ backend, host, path }) => Object.freeze({ backend, host, path })),
    ),
  };
}

/**
 * A frozen copy that inherits nothing. Objects of a class with an empty prototype cost half of what
 * `Object.create(null)` costs, which V8 makes hash tables of.
 */
export function dictionary<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(new Dictionary() as Record<string, T>, entries));
}

class Dictionary {
  static {
    Object.setPrototypeOf(this.prototype, null);
    Reflect.deleteProperty(this.prototype, "constructor");
  }
}

const NO_TAGS: readonly string[] = Object.freeze([]);
const NO_META = dictionary<string>({});

function copy(server: Server): TemplateServer {
  const { name, address, port, weight, backup, maxconn, state, check, tags, meta, origin } = server;
  return Object.freeze({
    name,
    address,
    port,
    hostPort: hostPort(server),
    named: !address.includes(":") && /[a-z]/i.test(address),
    weight,
    backup,
    maxconn,
    state,
    check: check === false ? false : Object.freeze({ ...check }),
    tags: tags.length === 0 ? NO_TAGS : Object.freeze([...tags]),
    meta: Object.keys(meta).length === 0 ? NO_META : dictionary(meta),
    source: Object.freeze({ source: origin.source, id: origin.id, revision: origin.revision }),
  });
}

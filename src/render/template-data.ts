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
 * Makes rosters into what a template sees: frozen copies, and without prototypes where names come from outside, so that
 * `it.backends.toString` is undefined rather than a function. A server that is the same object as in the roster before
 * is not copied again.
 */
export function templateDataMaker(defaultBackend: string): (roster: Roster) => TemplateData {
  let last: ReadonlyMap<string, Copied> = new Map();
  return (roster) => {
    const copied = roster.backends.map(
      ({ name, servers }) => [name, copyServers(servers, last.get(name))] as const,
    );
    last = new Map(copied);
    const backends = Object.create(null) as Record<string, readonly TemplateServer[]>;
    for (const [name, { copies }] of copied) backends[name] = copies;
    return {
      backends: Object.freeze(backends),
      servers: backends[defaultBackend] ?? [],
      routes: Object.freeze(
        roster.routes.map(({ backend, host, path }) => Object.freeze({ backend, host, path })),
      ),
    };
  };
}

/** `copies[n]` is made of `servers[n]`. */
interface Copied {
  readonly servers: readonly Server[];
  readonly copies: readonly TemplateServer[];
}

/** Both the servers and those of `last` are sorted by name. */
function copyServers(servers: readonly Server[], last: Copied = { servers: [], copies: [] }): Copied {
  if (servers === last.servers) return last;
  let next = 0;
  const copies = servers.map((server) => {
    while (next < last.servers.length && (last.servers[next] as Server).name < server.name) next++;
    return last.servers[next] === server ? (last.copies[next] as TemplateServer) : copy(server);
  });
  return { servers, copies: Object.freeze(copies) };
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

import { promises as dns, type SrvRecord } from "node:dns";
import { compareText } from "../core/compare-text.ts";

/** How names become addresses. */
export interface NameResolver {
  /** All addresses of a host, as the system finds them (`/etc/hosts`, then DNS). */
  addresses(host: string): Promise<readonly string[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
}

/** The machine's own resolver. */
export const SYSTEM_RESOLVER: NameResolver = {
  addresses: async (host) => (await dns.lookup(host, { all: true })).map(({ address }) => address),
  srv: (name) => dns.resolveSrv(name),
};

/** A record as confd shows it; `Target` ends with a dot, as in DNS. */
export interface Srv {
  readonly Target: string;
  readonly Port: number;
  readonly Priority: number;
  readonly Weight: number;
}

/**
 * confd's functions that ask the DNS; each returns a promise. A name that does not exist gives an empty list, as in
 * confd. When nobody answers they throw, other than in confd: a template that goes on would remove healthy servers.
 */
export interface NameLookup {
  /** Sorted as text. */
  lookupIP(host: string): Promise<readonly string[]>;
  lookupIPV4(host: string): Promise<readonly string[]>;
  lookupIPV6(host: string): Promise<readonly string[]>;
  /** `lookupSRV("http", "tcp", "example.org")` asks for `_http._tcp.example.org`; two empty texts, for the name alone. */
  lookupSRV(service: string, protocol: string, name: string): Promise<readonly Srv[]>;
}

export function nameLookup(resolver: NameResolver): NameLookup {
  const lookupIP = async (host: string): Promise<readonly string[]> => {
    // The system would take "no name" for "no addresses".
    if (typeof host !== "string" || host === "")
      throw new Error(`lookupIP: ${JSON.stringify(host)} is not a name`);
    return (await orNone(host, resolver.addresses(host))).toSorted(compareText);
  };
  return {
    lookupIP,
    lookupIPV4: async (host) => (await lookupIP(host)).filter((address) => address.includes(".")),
    lookupIPV6: async (host) => (await lookupIP(host)).filter((address) => address.includes(":")),
    lookupSRV: async (service, protocol, name) => {
      const full = service === "" && protocol === "" ? name : `_${service}._${protocol}.${name}`;
      const records = await orNone(full, resolver.srv(full));
      return records.map(srv).toSorted((a, b) => compareText(allFields(a), allFields(b)));
    },
  };
}

/** There is no such name, or it has no record of that type. */
const NOTHING_THERE = new Set(["ENOTFOUND", "ENODATA"]);

async function orNone<T>(name: string, answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    if (NOTHING_THERE.has(code)) return [];
    throw new Error(`cannot look up ${name}`, { cause: thrown });
  }
}

const srv = (record: SrvRecord): Srv =>
  Object.freeze({
    Target: record.name.endsWith(".") ? record.name : `${record.name}.`,
    Port: record.port,
    Priority: record.priority,
    Weight: record.weight,
  });

const allFields = (record: Srv): string => `${record.Target}${record.Port}${record.Priority}${record.Weight}`;

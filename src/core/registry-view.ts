import { parseHostRecord } from "./host-record.ts";
import { parseOwner } from "./owner.ts";
import { entryKey, type RawEntry, registryEntry } from "./registry-entry.ts";
import type { KeyLayout } from "./registry-keys.ts";
import { compareText } from "./compare-text.ts";
import { parseServerKey } from "./server-key.ts";
import type { Registrar, RegistryView, SeenHost } from "./seen-registry.ts";
import { NO_LEASE } from "./store-write.ts";

/** An entry as the store has it, with the lease that it goes with; "0" = none. */
export interface StoreEntry extends Pick<RawEntry, "key" | "value" | "modRevision"> {
  readonly lease: string;
}

const SOURCE = "etcd";
const OWN = "@";

/** Reads entries, in any order, with the very parsers of the daemon. */
export function registryView(
  entries: readonly StoreEntry[],
  { layout, revision }: { layout: KeyLayout; revision: string },
): RegistryView {
  const keyed = entries.map((entry) => ({ entry, key: entryKey(entry.key) })).toSorted(byKey);
  const longestFirst = [layout.ownersPrefix, layout.overridesPrefix, layout.prefix].toSorted(
    (a, b) => b.length - a.length,
  );
  // One prefix may lie inside of another.
  const groups = Map.groupBy(keyed, ({ key }) => longestFirst.find((prefix) => key.startsWith(prefix)));
  const under = (prefix: string): readonly Keyed[] => groups.get(prefix) ?? [];
  const records = under(layout.ownersPrefix);
  const owners = new Map(records.map(({ entry, key }) => [key.slice(layout.ownersPrefix.length), entry]));
  const hosts = hostsOf(owners);
  return {
    layout,
    revision,
    servers: under(layout.prefix).map(({ entry, key }) => {
      const { server = null, ...seen } = look(entry, { key, layout, prefix: layout.prefix });
      const owner = owners.get(key.slice(layout.prefix.length));
      return { ...seen, server, by: registrarOf(entry, { owner, hosts }) };
    }),
    overrides: under(layout.overridesPrefix).map(({ entry, key }) => {
      const { override, ...seen } = look(entry, { key, layout, prefix: layout.overridesPrefix });
      const overriding = override === undefined ? null : { state: override.state, weight: override.weight };
      return { ...seen, overriding };
    }),
    hosts: [...hosts.values()].toSorted((a, b) => compareText(a.host, b.host)),
  };
}

interface Keyed {
  readonly entry: StoreEntry;
  readonly key: string;
}
const byKey = (a: Keyed, b: Keyed): number => compareText(a.key, b.key);

function look(
  entry: StoreEntry,
  { key, layout, prefix }: { key: string; layout: KeyLayout; prefix: string },
) {
  const { text, server, override, refusal } = registryEntry(
    { ...entry, isLeased: entry.lease !== NO_LEASE },
    {
      key,
      layout: { ...layout, source: SOURCE, watch: [] },
      known: undefined,
    },
  );
  const id = parseServerKey({ key, prefix, defaultBackend: layout.defaultBackend });
  return {
    key,
    value: text,
    modRevision: entry.modRevision,
    lease: entry.lease,
    id: id.ok ? id.value : null,
    reason: refusal?.reason ?? null,
    server,
    override,
  };
}

/** The hosts that have an agent, by the lease of their record. */
function hostsOf(owners: ReadonlyMap<string, StoreEntry>): ReadonlyMap<string, SeenHost> {
  const hosts = new Map<string, SeenHost>();
  for (const [tail, { value, lease }] of owners) {
    const record = tail.startsWith(OWN) && lease !== NO_LEASE ? parseHostRecord(textOf(value)) : null;
    if (record?.ok === true) hosts.set(lease, { host: record.value.host, version: record.value.version });
  }
  return hosts;
}

/** A key is a host's only while it shares the lease of its owner's record, or of the host's. */
function registrarOf(
  { lease }: StoreEntry,
  { owner, hosts }: { owner: StoreEntry | undefined; hosts: ReadonlyMap<string, SeenHost> },
): Registrar {
  if (lease === NO_LEASE) return { kind: "operator" };
  const record = owner?.lease === lease ? parseOwner(textOf(owner.value)) : null;
  if (record?.ok === true) return { kind: "host", ...record.value };
  const host = hosts.get(lease)?.host;
  return host === undefined ? { kind: "program" } : { kind: "host", host, container: null };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

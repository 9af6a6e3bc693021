import { parsePort, quote } from "./address.ts";
import { suggest } from "./suggest.ts";

/** Names of all labels after the prefix, beside `meta.KEY`; all but `port` may stand behind a port number too. */
export const LABELS = [
  "enable",
  "backend",
  "name",
  "port",
  "network",
  "address",
  "weight",
  "backup",
  "maxconn",
  "state",
  "check",
  "check.path",
  "check.interval",
  "check.rise",
  "check.fall",
  "health",
  "drain",
  "host",
  "path",
  "tags",
] as const;

/** Name of a label after prefix and port. */
export type LabelName = (typeof LABELS)[number];

const META = "meta.";
const PORT_LABELS = LABELS.filter((name) => name !== "port");

/** Labels are anybody's: their number and their size must not matter. */
const LIMITS = { ports: 32, metaKeys: 64, doubts: 8, valueLength: 4096 };

/** The labels that are about one server, by name; a label with a port number goes before the same one without. */
export interface ServerLabels {
  get(name: LabelName): string | undefined;
  readonly meta: readonly (readonly [key: string, value: string])[];
  /** Whether the label stands there with this server's port number. */
  isOwn(name: LabelName): boolean;
  /** The full label, for messages: `rollcall.weight`, `rollcall.8080.weight`. */
  fullName(name: LabelName | "meta"): string;
}

/** A container's labels under the prefix, sorted out. */
export interface ContainerLabels {
  /** Labels without a port number. */
  readonly common: ServerLabels;
  /** Port numbers that labels carry, sorted, with what holds for each. */
  readonly byPort: ReadonlyMap<number, ServerLabels>;
  /** Labels that mean nothing, each with a suggestion. */
  readonly unknown: readonly string[];
  /** Why none of it can be used, or null. */
  readonly refusal: string | null;
}

interface Entries {
  readonly words: Map<LabelName, string>;
  readonly meta: Map<string, string>;
}

/** Sorts out the labels that begin with `prefix` and a dot; all others are somebody else's. */
export function readLabels(labels: ReadonlyMap<string, string>, prefix: string): ContainerLabels {
  const common = emptyEntries();
  const byPort = new Map<number, Entries>();
  const unknown: string[] = [];
  let unknownCount = 0;
  let refusal: string | null = null;
  for (const [label, value] of labels) {
    if (!label.startsWith(`${prefix}.`)) continue;
    const { port, name } = splitPort(label.slice(prefix.length + 1));
    const entries = port === null ? common : (byPort.get(port) ?? emptyEntries());
    const excess = excessOf({ label, value, entries, name, ports: byPort.size });
    if (excess !== null) refusal ??= excess;
    else if (!store({ name, value, entries, hasPort: port !== null })) {
      if (unknownCount++ < LIMITS.doubts) unknown.push(doubt({ label, prefix, port, name }));
    } else if (port !== null) byPort.set(port, entries);
  }
  if (unknownCount > LIMITS.doubts) unknown.push(`${unknownCount - LIMITS.doubts} more unknown labels`);
  const sorted = [...byPort].toSorted(([a], [b]) => a - b);
  return {
    common: view(prefix, common, null),
    byPort: new Map(sorted.map(([port, own]) => [port, view(prefix, common, { port, own })])),
    unknown,
    refusal,
  };
}

const emptyEntries = (): Entries => ({ words: new Map(), meta: new Map() });

/** Why one more label is too much, or null. */
function excessOf(options: {
  label: string;
  value: string;
  entries: Entries;
  name: string;
  ports: number;
}): string | null {
  const { entries, ports } = options;
  if (options.value.length > LIMITS.valueLength) {
    return `${quote(options.label)} is longer than ${LIMITS.valueLength} characters`;
  }
  if (ports > LIMITS.ports) return `there are labels for more than ${LIMITS.ports} ports`;
  const isTooMuch = options.name.startsWith(META) && entries.meta.size >= LIMITS.metaKeys;
  return isTooMuch ? `there are more than ${LIMITS.metaKeys} labels for meta` : null;
}

function splitPort(text: string): { port: number | null; name: string } {
  const dot = text.indexOf(".");
  const port = dot === -1 ? null : parsePort(text.slice(0, dot));
  return port?.ok === true ? { port: port.value, name: text.slice(dot + 1) } : { port: null, name: text };
}

/** Keeps a label that is known; false = it is not. */
function store(options: { name: string; value: string; entries: Entries; hasPort: boolean }): boolean {
  const { name, value, entries } = options;
  if (name.startsWith(META)) {
    entries.meta.set(name.slice(META.length), value);
    return true;
  }
  const known = (options.hasPort ? PORT_LABELS : LABELS).find((one) => one === name);
  if (known !== undefined) entries.words.set(known, value);
  return known !== undefined;
}

function doubt(options: { label: string; prefix: string; port: number | null; name: string }): string {
  const { label, port, name } = options;
  const unknown = `unknown label ${quote(label)}`;
  if (port !== null && name === "port") return `${unknown}: the port stands in it already`;
  const front = /^([0-9]+)\./.exec(name)?.[1];
  const wrongPort = front === undefined ? null : parsePort(front);
  if (wrongPort?.ok === false) return `${unknown}: ${wrongPort.reason}`;
  const meant = suggest(name, port === null ? LABELS : PORT_LABELS);
  if (meant === undefined) return unknown;
  return `${unknown}: did you mean ${options.prefix}.${port === null ? "" : `${port}.`}${meant}?`;
}

function view(prefix: string, common: Entries, special: { port: number; own: Entries } | null): ServerLabels {
  const own = special?.own;
  return {
    get: (name) => own?.words.get(name) ?? common.words.get(name),
    isOwn: (name) => own?.words.has(name) === true,
    meta: [...new Map([...common.meta, ...(own?.meta ?? [])])],
    fullName: (name) => {
      const isOwn = name === "meta" ? own !== undefined && own.meta.size > 0 : own?.words.has(name) === true;
      return special !== null && isOwn ? `${prefix}.${special.port}.${name}` : `${prefix}.${name}`;
    },
  };
}

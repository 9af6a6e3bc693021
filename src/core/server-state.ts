import { parseHost } from "./address.ts";

/** What a new configuration says of a server, as far as it decides whether the server keeps its state. */
export interface WantedState {
  /** A canonical IP literal; null where only HAProxy knows it. */
  readonly address: string | null;
  readonly port: number;
  /** Whether HAProxy checks it: nothing else would bring back a server that starts DOWN. */
  readonly checked: boolean;
  readonly disabled: boolean;
}

/**
 * Columns of `show servers state` version 1, counted from 0 (management guide 9.3). From 20 on they are optional, and
 * left out: HAProxy would take the port of the check, and whether to speak TLS, from them and not from its new
 * configuration.
 */
const COLUMN = {
  backend: 1,
  name: 3,
  address: 4,
  state: 5,
  adminState: 6,
  weight: 7,
  initialWeight: 8,
  checkStatus: 10,
  checkState: 13,
  agentState: 14,
  port: 18,
} as const;
const COLUMNS = 20;
const DOWN = "0";
/** Reasons for being in maintenance: forced, inherited, by the configuration, unresolved. The other flags are of drains. */
const MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20;
/** Checks that went well: L4OK, L6OK, L7OK, L7OKC, PROCOK (HAProxy's check-t.h, the same from 2.6 to 3.4). */
const PASSED = new Set(["6", "9", "15", "16", "20"]);
/** A check that is configured and enabled; what else 2.6 tells of it (a check under way) it does not take back. */
const CHECK_ENABLED = "6";
const AGENT_UNKNOWN = "0";
/** HAProxy reads lines of up to 2000 bytes, and nothing after a longer one. */
const MAX_LINE = 1900;
/** The version of the format, and no servers: HAProxy takes it without a word (2.6, 3.0, 3.2). */
export const NO_STATES = "1\n";

/**
 * Makes the file from which a new worker takes over what the old one knows of its servers: who is UP and who DOWN.
 * All else is the new configuration's to say, so a line is kept only for a server that is wanted, checked, and has the
 * same address and port: HAProxy would take the port of the line. One that is in maintenance, but wanted, starts as
 * the configuration says. A drain over the socket ends. The weight in a line only counts when its two weights differ.
 * @param stateText the answer of `show servers state`.
 * @param options.wanted by `backend/server`.
 * @param options.startDown servers that wait for their first good check when the old worker does not have them.
 */
export function handOver(
  stateText: string,
  options: { wanted: ReadonlyMap<string, WantedState>; startDown?: ReadonlySet<string> },
): string {
  const { wanted, startDown = new Set() } = options;
  const [version, header = "", ...lines] = stateText.split("\n");
  if (version !== "1" || !header.startsWith("#")) return NO_STATES;
  const kept = [version, header];
  const waiting = new Set(startDown);
  for (const line of lines) {
    const columns = line.split(" ");
    const key = `${columns[COLUMN.backend]}/${columns[COLUMN.name]}`;
    const found = keptLine(columns, wanted.get(key));
    if (found === null) continue;
    kept.push(found);
    waiting.delete(key);
  }
  for (const key of [...waiting].toSorted()) {
    const line = downLine(key, wanted.get(key));
    if (line !== null) kept.push(line);
  }
  return `${kept.join("\n")}\n`;
}

function keptLine(columns: readonly string[], wanted: WantedState | undefined): string | null {
  if (wanted === undefined || !mayKeep(wanted) || columns.length < COLUMNS) return null;
  if ((Number(columns[COLUMN.adminState]) & MAINTENANCE) !== 0) return null;
  // HAProxy gives a server that is UP its full health back, so that many reloads could keep a dead one UP for ever;
  // without a line, it is DOWN at the first check that fails.
  if (columns[COLUMN.state] !== DOWN && !PASSED.has(columns[COLUMN.checkStatus] ?? "")) return null;
  if (columns[COLUMN.port] !== String(wanted.port)) return null;
  if (!isAddress(columns[COLUMN.address] ?? "", wanted.address)) return null;
  const line = columns.slice(0, COLUMNS);
  line[COLUMN.adminState] = "0";
  line[COLUMN.weight] = line[COLUMN.initialWeight] ?? "1";
  line[COLUMN.checkState] = CHECK_ENABLED;
  line[COLUMN.agentState] = AGENT_UNKNOWN;
  return fit(line.join(" "));
}

const mayKeep = ({ address, checked, disabled }: WantedState): boolean =>
  address !== null && checked && !disabled;

function isAddress(found: string, wanted: string | null): boolean {
  if (found === wanted) return true;
  const canonical = parseHost(found);
  return canonical.ok && canonical.value === wanted;
}

/** A line for a server that no worker knows yet; ids do not count, since HAProxy finds servers by their names. */
function downLine(key: string, wanted: WantedState | undefined): string | null {
  if (wanted === undefined || !mayKeep(wanted)) return null;
  const slash = key.lastIndexOf("/");
  const [backend, name] = [key.slice(0, slash), key.slice(slash + 1)];
  const { address, port } = wanted;
  return fit(`0 ${backend} 0 ${name} ${address} ${DOWN} 0 1 1 0 1 0 0 ${CHECK_ENABLED} 0 0 0 - ${port} -`);
}

const fit = (line: string): string | null => (line.length > MAX_LINE ? null : line);

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
 * @param options.startDown servers that wait for their first good check, unless the old worker has them at this place.
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
    const one = wanted.get(key);
    if (one === undefined || !mayKeep(one) || !isThere(columns, one)) continue;
    // Whatever its state is, it is not new: a server that takes traffic goes on with it.
    waiting.delete(key);
    const found = keptLine(columns);
    if (found !== null) kept.push(found);
  }
  for (const key of [...waiting].toSorted()) {
    const one = wanted.get(key);
    const line = one === undefined || !mayKeep(one) ? null : downLine(key, one);
    if (line !== null) kept.push(line);
  }
  return `${kept.join("\n")}\n`;
}

const mayKeep = ({ address, checked, disabled }: WantedState): boolean =>
  address !== null && checked && !disabled;

/** Whether a line is of a server at the wanted place. */
function isThere(columns: readonly string[], { address, port }: WantedState): boolean {
  const found = columns[COLUMN.address] ?? "";
  if (columns.length < COLUMNS || columns[COLUMN.port] !== String(port)) return false;
  if (found === address) return true;
  const canonical = parseHost(found);
  return canonical.ok && canonical.value === address;
}

function keptLine(columns: readonly string[]): string | null {
  if ((Number(columns[COLUMN.adminState]) & MAINTENANCE) !== 0) return null;
  // HAProxy gives a server that is UP its full health back, so that many reloads could keep a dead one UP for ever;
  // without a line, it is DOWN at the first check that fails.
  if (columns[COLUMN.state] !== DOWN && !PASSED.has(columns[COLUMN.checkStatus] ?? "")) return null;
  const line = columns.slice(0, COLUMNS);
  line[COLUMN.adminState] = "0";
  line[COLUMN.weight] = line[COLUMN.initialWeight] ?? "1";
  line[COLUMN.checkState] = CHECK_ENABLED;
  line[COLUMN.agentState] = AGENT_UNKNOWN;
  return fit(line.join(" "));
}

/** A line for a server that no worker knows yet; ids do not count, since HAProxy finds servers by their names. */
function downLine(key: string, { address, port }: WantedState): string | null {
  const slash = key.lastIndexOf("/");
  const [backend, name] = [key.slice(0, slash), key.slice(slash + 1)];
  return fit(`0 ${backend} 0 ${name} ${address} ${DOWN} 0 1 1 0 1 0 0 ${CHECK_ENABLED} 0 0 0 - ${port} -`);
}

const fit = (line: string): string | null => (line.length > MAX_LINE ? null : line);

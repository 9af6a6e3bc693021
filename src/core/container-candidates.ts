import { containerAddress, type Reach } from "./container-address.ts";
import { readLabels, type ContainerLabels, type ServerLabels } from "./container-labels.ts";
import { defaultName, extendName, shownContainer } from "./container-name.ts";
import { isEnabled, readWish, type ServerWish } from "./container-wish.ts";
import type { Container, ContainerSettings } from "./container.ts";
import { foreignLabels } from "./foreign-labels.ts";
import type { HostView } from "./host-address.ts";
import { publishedAddress } from "./published-address.ts";
import { accept, refuse, type Result } from "./result.ts";
import type { Origin } from "./server.ts";
import type { Refusal } from "./snapshot.ts";

/** A server that a container asks for; its name may still be taken, and its time may not have come. */
export interface Candidate {
  readonly container: Container;
  readonly origin: Origin;
  readonly backend: string;
  readonly name: string;
  readonly wish: ServerWish;
  readonly reach: Reach;
}

/** What one container asks for. */
export interface ContainerWishes {
  readonly candidates: readonly Candidate[];
  readonly quarantined: readonly Refusal[];
  readonly warnings: readonly Refusal[];
}

/** A container, and what its labels are read with. */
interface Reading {
  readonly container: Container;
  readonly home: Container | null;
  readonly origin: Origin;
  readonly settings: ContainerSettings;
  readonly host: HostView | null;
}

/** Reads a container's labels: one candidate, or one for each port that labels name. */
export function containerCandidates(options: {
  container: Container;
  /** All running containers by id. */
  others: ReadonlyMap<string, Container>;
  settings: ContainerSettings;
  /** This host as others see it; null = what is read is not for other hosts. */
  host: HostView | null;
}): ContainerWishes {
  const { container, settings, host } = options;
  const origin: Origin = {
    source: settings.source,
    id: shownContainer(container),
    revision: `${container.createdAtMs} ${container.startMark}`,
  };
  const reading = { container, home: homeOf(container, options.others), origin, settings, host };
  const foreign = foreignLabels(container, settings);
  if (!foreign.ok) return { candidates: [], quarantined: [{ origin, reason: foreign.reason }], warnings: [] };
  const read = foreign.value.sets.map((labels) => readSet(reading, labels));
  const candidates = read.flatMap((one) => one.candidates);
  // What is amiss with several sets of labels is amiss once.
  const quarantined = [...new Set(read.flatMap(({ refusals }) => refusals))];
  const warnings = [...new Set([...foreign.value.warnings, ...read.flatMap(({ doubts }) => doubts)])];
  const told = (reason: string): Refusal => ({ origin, reason });
  return { candidates, quarantined: quarantined.map(told), warnings: warnings.map(told) };
}

interface ReadSet {
  readonly candidates: readonly Candidate[];
  readonly refusals: readonly string[];
  readonly doubts: readonly string[];
}

function readSet(reading: Reading, set: ReadonlyMap<string, string>): ReadSet {
  const { settings } = reading;
  const labels = readLabels(set, settings.labelPrefix);
  const candidates: Candidate[] = [];
  const refusals: string[] = [];
  if (labels.refusal !== null && mayBeIn(labels, settings)) refusals.push(labels.refusal);
  for (const request of requestsOf(labels)) {
    const candidate = candidateOf({ ...reading, request });
    if (!candidate.ok) refusals.push(candidate.reason);
    else if (candidate.value !== null) candidates.push(candidate.value);
  }
  return { candidates, refusals, doubts: labels.unknown };
}

/** Whether the container, its labels being too much to read, had a right to a reason. */
function mayBeIn({ common }: ContainerLabels, settings: ContainerSettings): boolean {
  const enabled = isEnabled(common, settings.enableByDefault);
  return !enabled.ok || enabled.value;
}

/** The labels of one server; `port` is the one that the labels carry, `several` whether there are more. */
interface Request {
  readonly labels: ServerLabels;
  readonly port: number | null;
  readonly several: boolean;
}

function requestsOf({ common, byPort, refusal }: ContainerLabels): readonly Request[] {
  if (refusal !== null) return [];
  if (byPort.size === 0) return [{ labels: common, port: null, several: false }];
  const plainPort = common.get("port");
  const plain =
    plainPort === undefined || byPort.has(Number(plainPort)) ? [] : [{ labels: common, port: null }];
  const special = [...byPort].map(([port, labels]) => ({ labels, port }));
  const all = [...plain, ...special];
  return all.map((request) => ({ ...request, several: all.length > 1 }));
}

/** The container whose network this one uses: itself, or the one that `network_mode: container:ID` names. */
function homeOf(container: Container, others: ReadonlyMap<string, Container>): Container | null {
  const joined = /^container:(.*)$/s.exec(container.networkMode)?.[1];
  return joined === undefined ? container : (others.get(joined) ?? null);
}

/** null = it does not want to be served. */
function candidateOf(options: Reading & { request: Request }): Result<Candidate | null> {
  const { container, home, origin, request, settings, host } = options;
  const front = request.several && request.port !== null ? `port ${request.port}: ` : "";
  const enabled = isEnabled(request.labels, settings.enableByDefault);
  if (!enabled.ok) return refuse(enabled.reason);
  if (!enabled.value) return accept(null);
  const wish = readWish(request.labels);
  if (!wish.ok) return refuse(front + wish.reason);
  const backend = wish.value.backend ?? settings.defaultBackend;
  const name = nameOf({ container, request, wish: wish.value });
  const reach = reachOf({ container, home, request, wish: wish.value, settings, host });
  if (!reach.ok) return refuse(front + reach.reason);
  return accept({ container, origin, backend, name, wish: wish.value, reach: reach.value });
}

function reachOf(options: {
  container: Container;
  home: Container | null;
  request: Request;
  wish: ServerWish;
  settings: ContainerSettings;
  host: HostView | null;
}): Result<Reach> {
  const { container, home, host } = options;
  const port = portOf(options);
  const reach = port.ok ? addressOf({ ...options, port: port.value }, host) : port;
  if (reach.ok || container.state !== "running") return orWaiting(reach, container.state);
  // The engine lists no exposed ports either while a container is on no network: that is no mistake of its labels.
  return port.ok || home === null || !isUnplugged(home) ? reach : orWaiting(reach, "it is on no network");
}

const addressOf = (given: Parameters<typeof containerAddress>[0], host: HostView | null): Result<Reach> =>
  host === null ? containerAddress(given) : publishedAddress({ ...given, host });

const orWaiting = (reach: Result<Reach>, reason: string): Result<Reach> =>
  reach.ok ? reach : accept({ kind: "waiting", reason });

const isUnplugged = ({ networkMode, networks }: Container): boolean =>
  networkMode !== "host" &&
  networkMode !== "none" &&
  networks.every(({ address, address6 }) => (address ?? address6) === null);

function portOf(options: {
  container: Container;
  request: Request;
  wish: ServerWish;
  settings: ContainerSettings;
}): Result<number> {
  const port = options.request.port ?? options.wish.port;
  if (port !== null) return accept(port);
  const { tcpPorts } = options.container;
  const [only] = tcpPorts;
  if (only !== undefined && tcpPorts.length === 1) return accept(only);
  const shown = tcpPorts.length > 10 ? [...tcpPorts.slice(0, 10), "…"] : tcpPorts;
  const found =
    only === undefined ? "no exposed port" : `${tcpPorts.length} exposed ports (${shown.join(", ")})`;
  return refuse(`no port label and ${found}: set ${options.settings.labelPrefix}.port`);
}

function nameOf(options: { container: Container; request: Request; wish: ServerWish }): string {
  const { container, request, wish } = options;
  const base = wish.name ?? defaultName(container);
  const port = request.port ?? wish.port;
  const isItsOwn = request.port !== null && request.labels.isOwn("name");
  return request.several && !isItsOwn && port !== null ? extendName(base, String(port)) : base;
}

import { containerCandidates, type Candidate } from "./container-candidates.ts";
import { extendName } from "./container-name.ts";
import { readinessOf } from "./container-readiness.ts";
import type { Container, ContainerSettings } from "./container.ts";
import { compareText } from "./roster.ts";
import type { Server } from "./server.ts";
import type { Refusal, Snapshot, Waiting } from "./snapshot.ts";

/** What all containers of an engine add up to. */
export interface ContainerServers extends Pick<Snapshot, "servers" | "quarantined" | "waiting" | "warnings"> {
  /** When this changes without any event, because a drain is over: in milliseconds since the epoch, or null. */
  readonly nextChangeMs: number | null;
}

/**
 * Reads the labels of an engine's containers; never throws, whatever they say.
 *
 * Of two containers that ask for one name in one backend the older keeps it; the younger is served under that name
 * with the beginning of its id behind it. It makes no difference whether they can be served at the moment, so that
 * names do not move when a container is unwell.
 */
export function containerServers(
  containers: readonly Container[],
  settings: ContainerSettings,
  nowMs: number,
): ContainerServers {
  const present = containers
    .filter(({ state }) => state === "running" || state === "paused" || state === "restarting")
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || compareText(a.id, b.id));
  const others = new Map(present.map((container) => [container.id, container]));
  const read = present.map((container) => containerCandidates({ container, others, settings }));
  const named = nameApart(read.flatMap(({ candidates }) => candidates));
  return {
    ...gate(named.candidates, nowMs),
    quarantined: [...read.flatMap(({ quarantined }) => quarantined), ...named.quarantined],
    warnings: [...read.flatMap(({ warnings }) => warnings), ...named.warnings],
  };
}

interface Named {
  readonly candidates: readonly Candidate[];
  readonly quarantined: readonly Refusal[];
  readonly warnings: readonly Refusal[];
}

/** Gives each candidate a name of its own; the first to ask keeps it. */
function nameApart(candidates: readonly Candidate[]): Named {
  const holders = new Map<string, Candidate>();
  const kept: Candidate[] = [];
  const quarantined: Refusal[] = [];
  const warnings: Refusal[] = [];
  // Whoever asks for a name that nobody else asked for gets it before anybody gets a makeshift one.
  const [firsts, rest] = firstAndRest(candidates, holders);
  kept.push(...firsts);
  for (const candidate of rest) {
    const { backend, name, origin } = candidate;
    const holder = holders.get(`${backend}/${name}`)?.origin.id ?? "";
    const ownName = extendName(name, suffixOf(candidate));
    if (holders.has(`${backend}/${ownName}`)) {
      quarantined.push({ origin, reason: `names ${name} and ${ownName} in backend ${backend} are taken` });
      continue;
    }
    const renamed = { ...candidate, name: ownName };
    holders.set(`${backend}/${ownName}`, renamed);
    kept.push(renamed);
    warnings.push({ origin, reason: `name ${name} is held by ${holder}; known as ${ownName}` });
  }
  return { candidates: kept, quarantined, warnings };
}

function firstAndRest(
  candidates: readonly Candidate[],
  holders: Map<string, Candidate>,
): readonly [firsts: readonly Candidate[], rest: readonly Candidate[]] {
  const [firsts, rest]: [Candidate[], Candidate[]] = [[], []];
  for (const candidate of candidates) {
    const key = `${candidate.backend}/${candidate.name}`;
    (holders.has(key) ? rest : firsts).push(candidate);
    if (!holders.has(key)) holders.set(key, candidate);
  }
  return [firsts, rest];
}

const suffixOf = ({ container }: Candidate): string => container.id.slice(0, 6);

/** Sorts candidates into those that are served now and those that have to wait. */
function gate(
  candidates: readonly Candidate[],
  nowMs: number,
): Pick<ContainerServers, "servers" | "waiting" | "nextChangeMs"> {
  const servers: Server[] = [];
  const waiting: Waiting[] = [];
  let nextChangeMs: number | null = null;
  for (const candidate of candidates) {
    const { backend, name, origin, wish } = candidate;
    const readiness = readinessOf({ ...candidate, nowMs });
    if (readiness.kind === "waiting") {
      waiting.push({ origin, reason: readiness.reason, backend, name, routes: wish.fields.routes });
      continue;
    }
    const { address, port, state, untilMs } = readiness;
    const suffix = suffixOf(candidate);
    servers.push({ backend, name, ...wish.fields, address, port, state, origin, suffix });
    if (untilMs !== null) nextChangeMs = Math.min(nextChangeMs ?? Infinity, untilMs);
  }
  return { servers, waiting, nextChangeMs };
}

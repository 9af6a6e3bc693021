import { type Candidate, containerCandidates, type ContainerWishes } from "./container-candidates.ts";
import { extendName } from "./container-name.ts";
import type { Container, ContainerSettings } from "./container.ts";
import { hostView } from "./host-address.ts";
import { compareText } from "./compare-text.ts";
import type { Refusal } from "./snapshot.ts";

/**
 * What the containers of an engine ask for, each candidate with a name of its own.
 *
 * Of two containers that ask for one name in one backend the older keeps it; the younger is served under that name
 * with the beginning of its id behind it. It makes no difference whether they can be served at the moment, so that
 * names do not move when a container is unwell.
 */
export function namedCandidates(
  containers: readonly Container[],
  settings: ContainerSettings,
): ContainerWishes {
  const present = containers
    .filter(({ state }) => state === "running" || state === "paused" || state === "restarting")
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || compareText(a.id, b.id));
  const others = new Map(present.map((container) => [container.id, container]));
  const host = hostView(settings, present);
  const read = present.map((container) => containerCandidates({ container, others, settings, host }));
  const named = nameApart(read.flatMap(({ candidates }) => candidates));
  return {
    candidates: named.candidates,
    quarantined: [...read.flatMap(({ quarantined }) => quarantined), ...named.quarantined],
    warnings: [...read.flatMap(({ warnings }) => warnings), ...named.warnings],
  };
}

/** Gives each candidate a name of its own; the first to ask keeps it. */
function nameApart(candidates: readonly Candidate[]): ContainerWishes {
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

/** The beginning of the container's id, which tells apart what has the same name. */
export const suffixOf = ({ container }: Candidate): string => container.id.slice(0, 6);

import type { Candidate } from "./container-candidates.ts";
import { readinessOf } from "./container-readiness.ts";
import type { Container, ContainerSettings } from "./container.ts";
import { namedCandidates, suffixOf } from "./named-candidates.ts";
import { hostPort, type Server } from "./server.ts";
import type { Refusal, Snapshot, Waiting } from "./snapshot.ts";

/** What all containers of an engine add up to. */
export interface ContainerServers extends Required<
  Pick<Snapshot, "servers" | "quarantined" | "waiting" | "warnings" | "notes">
> {
  /** When this changes without any event, because a drain is over: by the clock of `nowMs`, or null. */
  readonly nextChangeMs: number | null;
}

/** Reads the labels of an engine's containers; never throws, whatever they say. */
export function containerServers(
  containers: readonly Container[],
  settings: ContainerSettings,
  nowMs: number,
): ContainerServers {
  const { candidates, quarantined, warnings } = namedCandidates(containers, settings);
  return { ...gate(candidates, nowMs), quarantined, warnings };
}

/** Sorts candidates into those that are served now and those that have to wait. */
function gate(
  candidates: readonly Candidate[],
  nowMs: number,
): Pick<ContainerServers, "servers" | "waiting" | "notes" | "nextChangeMs"> {
  const servers: Server[] = [];
  const waiting: Waiting[] = [];
  const notes: Refusal[] = [];
  let nextChangeMs: number | null = null;
  for (const candidate of candidates) {
    const { backend, name, origin, wish, reach } = candidate;
    const readiness = readinessOf({ ...candidate, nowMs });
    if (readiness.kind === "waiting") {
      waiting.push({ origin, reason: readiness.reason, backend, name, routes: wish.fields.routes });
      continue;
    }
    const { address, port, state, untilMs } = readiness;
    const suffix = suffixOf(candidate);
    servers.push({ backend, name, ...wish.fields, address, port, state, origin, suffix });
    if (reach.kind === "reachable" && reach.why !== "") {
      notes.push({ origin, reason: `${backend}/${name} is ${hostPort({ address, port })}: ${reach.why}` });
    }
    if (untilMs !== null) nextChangeMs = Math.min(nextChangeMs ?? Infinity, untilMs);
  }
  return { servers, waiting, notes, nextChangeMs };
}

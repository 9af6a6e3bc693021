import { type AgentStatus, doubtText } from "../core/agent-status.ts";
import type { Refusal } from "../core/snapshot.ts";
import { agentReadiness } from "./agent-readiness.ts";
import { ageSeconds, isoTime } from "./iso-time.ts";

export type AgentStatusJson = ReturnType<typeof agentStatusJson>;

/**
 * What `/api/status` of an agent answers. Names are kept from version to version; new ones may come. Times are
 * ISO 8601 in UTC, ages are whole seconds.
 */
export function agentStatusJson(status: AgentStatus) {
  const { version, nowMs, startedAtMs, host, address, source, registration, refused } = status;
  const { state, sinceMs, why, endpoint, lease, refreshedAtMs, wanted, published, doubts, counts } =
    registration;
  const { snapshot } = source;
  return {
    role: "agent",
    version,
    now: isoTime(nowMs),
    startedAt: isoTime(startedAtMs),
    ...agentReadiness(status),
    host,
    address,
    registration: {
      state,
      since: isoTime(sinceMs),
      reason: why,
      endpoint,
      lease,
      refreshedAt: refreshedAtMs === null ? null : isoTime(refreshedAtMs),
      wanted,
      registered: published,
      doubts: doubts.map((doubt) => ({
        container: doubt.publication.container,
        backend: doubt.publication.backend,
        name: doubt.publication.name,
        registeredAs: doubt.name,
        reason: doubtText(doubt),
      })),
      counts,
    },
    docker: {
      state: source.state,
      since: isoTime(source.sinceMs),
      error: source.error,
      ageSeconds: source.publishedAtMs === null ? null : ageSeconds(source.publishedAtMs, nowMs),
    },
    servers: (snapshot?.servers ?? []).map(({ backend, name, state: wish, origin }) => ({
      backend,
      name,
      state: wish,
      origin: origin.id,
    })),
    quarantined: [...refused, ...(snapshot?.quarantined ?? [])].map(entry),
    waiting: (snapshot?.waiting ?? []).map(entry),
    warnings: (snapshot?.warnings ?? []).map(entry),
  };
}

const entry = ({ origin, reason }: Refusal) => ({ origin: origin.id, reason });

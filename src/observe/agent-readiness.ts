import { type AgentStatus, doubtText } from "../core/agent-status.ts";
import { age } from "./age.ts";
import { sentence } from "./sentence.ts";

/**
 * Ready means: what the engine's containers ask for is in the store. An engine that is down later leaves what is
 * registered as it is, so it is a note, as are single servers that cannot be registered.
 */
export function agentReadiness(status: AgentStatus): {
  ready: boolean;
  reasons: readonly string[];
  notes: readonly string[];
} {
  const reasons = [stateReason(status), unfinished(status)].filter((text) => text !== null);
  const { doubts } = status.registration;
  const notes = [
    sourceNote(status),
    ...doubts.map(doubtText),
    ...status.refused.map(({ origin, reason }) => `${origin.id} cannot be registered: ${reason}`),
    quarantineNote(status),
  ].filter((text) => text !== null);
  return { ready: reasons.length === 0, reasons: reasons.map(sentence), notes: notes.map(sentence) };
}

function stateReason({ registration, source, nowMs, host }: AgentStatus): string | null {
  const { state, sinceMs, why } = registration;
  const since = `for ${age(nowMs - sinceMs)}`;
  switch (state) {
    case "registering":
      return null;
    case "waiting":
      return `Docker has not answered ${since}${source.error === null ? "" : `: ${source.error}`}`;
    case "standing-by":
      return `Standing by ${since}, the name ${host} is taken: ${why}`;
    case "disconnected":
      return `No connection to etcd ${since}: ${why}`;
    case "withdrawn":
      return "It is ending and has taken its servers out";
  }
}

function unfinished({ registration: { state, wanted, published, doubts } }: AgentStatus): string | null {
  const missing = (wanted ?? 0) - published - doubts.filter(({ name }) => name === null).length;
  return state === "registering" && missing > 0 ? `${missing} servers are not registered yet` : null;
}

function sourceNote({ source, nowMs }: AgentStatus): string | null {
  if (source.state === "live" || source.snapshot === null) return null;
  const why = source.error === null ? "" : ` (${source.error})`;
  return `Docker has been down for ${age(nowMs - source.sinceMs)}${why}; what it said last stays registered`;
}

function quarantineNote({ source }: AgentStatus): string | null {
  const count = source.snapshot?.quarantined.length ?? 0;
  return count === 0 ? null : `Containers are quarantined and not registered: ${count}`;
}

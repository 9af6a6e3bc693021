import { type BackendServer, readConfig, serversOf } from "./core/haproxy-config.ts";
import type { Roster } from "./core/roster.ts";
import { hostPort } from "./core/server.ts";
import type { Board } from "./discovery/board.ts";

/**
 * Says whether a candidate may be applied although a source never answered. Such a source may be the one that had the
 * servers which the live file has and the candidate lacks: an outage at our start must not empty a backend. So until
 * the start time limit everything waits for the required sources, and afterwards only what would remove a server; what
 * an earlier process knew of a source, if there is a state folder, stands in for it then. But the live file may have
 * servers that it could not remember any more, since its disk was full or it was killed: those stay as well. A
 * source that need not exist (`docker: auto` without an engine) is waited for only up to the limit, and only where
 * something would be removed.
 */
export interface StartGate {
  /** Why nothing at all may be applied yet; null = go on. */
  closed(): string | null;
  /** Whether `holds` may have something to say, and needs the live file for it. */
  isWatching(): boolean;
  /** Why this candidate may not be applied; null = it may. */
  holds(texts: { live: string | null; candidate: string }): string | null;
}

export function startGate(options: {
  board: Board;
  /** What was wanted by all that an earlier process remembered; null = nothing is known of that. */
  remembered: Roster | null;
  opensAtMs: number;
  monotonicMs: () => number;
}): StartGate {
  const { board, opensAtMs, monotonicMs } = options;
  const isRemembered = memoryOf(options.remembered);
  const isEarly = (): boolean => monotonicMs() < opensAtMs;
  const missing = (): ReturnType<Board["missing"]> => [
    ...board.missing(),
    ...(isEarly() ? board.absent() : []).filter(({ snapshot }) => snapshot === null),
  ];
  return {
    isWatching: () => missing().length > 0,
    closed: () => (isEarly() && board.missing().length > 0 ? why(board.missing()) : null),
    holds: ({ live, candidate }) => {
      if (missing().length === 0 || live === null) return null;
      const isUnknown = missing().some(({ snapshot }) => snapshot === null);
      const wanted = new Set(serversIn(candidate).map(nameOf));
      const lost = serversIn(live)
        .filter((server) => !wanted.has(nameOf(server)) && (isUnknown || !isRemembered(server)))
        .map(nameOf);
      if (lost.length === 0) return null;
      const more = lost.length > 10 ? ` and ${lost.length - 10} more` : "";
      return `${why(missing())}; without it these would be removed: ${lost.slice(0, 10).join(", ")}${more}`;
    },
  };
}

const serversIn = (text: string): readonly BackendServer[] => serversOf(readConfig(text));
const nameOf = ({ backend, name }: { backend: string; name: string }): string => `${backend}/${name}`;

/** A template may call servers otherwise; then the address tells. */
function memoryOf(roster: Roster | null): (server: BackendServer) => boolean {
  const servers = roster?.backends.flatMap((backend) => backend.servers) ?? [];
  const known = new Set(servers.flatMap((server) => [nameOf(server), hostPort(server)]));
  return (server) => known.has(nameOf(server)) || server.raw.split(/\s+/).some((word) => known.has(word));
}

const why = (missing: ReturnType<Board["missing"]>): string =>
  missing
    .map(({ name, error }) => `${name} has not answered yet${error === null ? "" : ` (${error})`}`)
    .join("; ");

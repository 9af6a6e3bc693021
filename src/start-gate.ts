import { readConfig, serversOf } from "./core/haproxy-config.ts";
import type { Board } from "./discovery/board.ts";

/**
 * Says whether a candidate may be applied although a source never answered. Such a source may be the one that had the
 * servers which the live file has and the candidate lacks: an outage at our start must not empty a backend. So until
 * the start time limit everything waits for the required sources, and afterwards only what would remove a server; what
 * an earlier process knew of a source, if there is a state folder, stands in for it then. A
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
  opensAtMs: number;
  monotonicMs: () => number;
}): StartGate {
  const { board, opensAtMs, monotonicMs } = options;
  const isEarly = (): boolean => monotonicMs() < opensAtMs;
  /** What a source had before our start may be known from the state folder. */
  const missing = (): ReturnType<Board["missing"]> =>
    [...board.missing(), ...(isEarly() ? board.absent() : [])].filter(({ snapshot }) => snapshot === null);
  return {
    isWatching: () => missing().length > 0,
    closed: () => (isEarly() && board.missing().length > 0 ? why(board.missing()) : null),
    holds: ({ live, candidate }) => {
      if (missing().length === 0 || live === null) return null;
      const wanted = new Set(serverNames(candidate));
      const lost = serverNames(live).filter((name) => !wanted.has(name));
      if (lost.length === 0) return null;
      const more = lost.length > 10 ? ` and ${lost.length - 10} more` : "";
      return `${why(missing())}; without it these would be removed: ${lost.slice(0, 10).join(", ")}${more}`;
    },
  };
}

const serverNames = (text: string): readonly string[] =>
  serversOf(readConfig(text)).map((server) => `${server.backend}/${server.name}`);

const why = (missing: ReturnType<Board["missing"]>): string =>
  missing
    .map(({ name, error }) => `${name} has not answered yet${error === null ? "" : ` (${error})`}`)
    .join("; ");

import type { PassRecord } from "./core/outcome.ts";
import type { HeldServer, Pin, StateTrouble, Status } from "./core/status.ts";
import type { Board } from "./discovery/board.ts";
import type { Info } from "./haproxy/running.ts";
import type { Reconciler } from "./reconcile.ts";

/** Remembers what the endpoints show: the latest passes, and when HAProxy last came or went. */
export interface StatusKeeper {
  onPass(record: PassRecord): void;
  /** The worker that answered, null = none did, and how many its master has; returns its pid. */
  sawHaproxy(info: Info | null, workers?: number | null): number | null;
  status(): Status;
  /** How long ago the last pass ended, or this was made, in milliseconds. */
  silentMs(): number;
}

const MAX_PASSES = 100;

export function statusKeeper(options: {
  board: Board;
  reconciler: Reconciler;
  held: () => readonly HeldServer[];
  pin: () => Pin | null;
  stateTrouble: () => StateTrouble | null;
  version: string;
  now: () => number;
  /** A clock that never jumps. */
  monotonicMs: () => number;
}): StatusKeeper {
  const { board, reconciler, version, now, monotonicMs } = options;
  const startedAtMs = now();
  let turnedMs = monotonicMs();
  let passes: readonly PassRecord[] = [];
  let lastPass: PassRecord | null = null;
  /** The last one that was not only put off. */
  let lastCertain: PassRecord | null = null;
  let appliedAtMs = startedAtMs;
  let haproxy: Status["haproxy"] = { pid: null, version: null, sinceMs: startedAtMs, workers: null };

  return {
    onPass: (record) => {
      turnedMs = monotonicMs();
      lastPass = record;
      if (record.outcome.kind === "applied") appliedAtMs = record.atMs + record.durationMs;
      const { kind } = record.outcome;
      // A retry that ends like the one before tells nothing new; the first of them says since when.
      if (kind === "deferred") return;
      const before = lastCertain;
      lastCertain = record;
      if (kind === "unchanged" || sameOutcome(before, record)) return;
      passes = [record, ...passes].slice(0, MAX_PASSES);
    },
    sawHaproxy: (info, workers = null) => {
      const answered = haproxy.pid !== null;
      const sinceMs = answered === (info !== null) ? haproxy.sinceMs : now();
      haproxy = { pid: info?.pid ?? null, version: info?.version ?? null, sinceMs, workers };
      return haproxy.pid;
    },
    status: () => {
      const applied = reconciler.applied();
      return {
        version,
        startedAtMs,
        nowMs: now(),
        sources: board.sources(),
        roster: reconciler.roster(),
        held: options.held(),
        pin: options.pin(),
        stateTrouble: options.stateTrouble(),
        applied: applied && {
          revision: applied.revision,
          digest: applied.digest,
          pid: applied.pid,
          sinceMs: appliedAtMs,
        },
        haproxy,
        passes,
        lastPass,
        silentMs: monotonicMs() - turnedMs,
      };
    },
    silentMs: () => monotonicMs() - turnedMs,
  };
}

function sameOutcome(before: PassRecord | null, after: PassRecord): boolean {
  const [a, b] = [before?.outcome, after.outcome];
  if (a === undefined || !("reason" in a) || !("reason" in b)) return false;
  return a.kind === b.kind && a.reason === b.reason;
}

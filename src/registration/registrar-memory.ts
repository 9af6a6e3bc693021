import type { Registration, RegistrationCounts } from "../core/agent-status.ts";
import { hostRecordText } from "../core/host-record.ts";
import { type DirtyFlag, dirtyFlag } from "../lib/dirty-flag.ts";
import type { RegistrarOptions, Wanted } from "./registrar-options.ts";
import { type BatchSize, batchSize } from "./write-changes.ts";

/** What the parts of a registrar share, and what outlives a connection. */
export interface RegistrarMemory {
  readonly options: RegistrarOptions;
  /** Value of the host's record while this agent holds the host's name. */
  readonly record: string;
  /** Something changed that a decision depends on. */
  readonly changed: DirtyFlag;
  readonly size: BatchSize;
  wanted: Wanted | null;
  /** The lease of the host's record, as long as this agent holds the host's name. */
  lease: string | null;
  /** Whether this agent has ever held the host's name. */
  hasHeld: boolean;
  /** What the log has been told of names that are taken. */
  told: ReadonlySet<string>;
  /** The process is asked to end. */
  isEnding: boolean;
  hasNothingToWithdraw(): boolean;
  readonly status: Registration;
  tell(change: Partial<Omit<Registration, "sinceMs" | "counts">>): void;
  count(what: keyof RegistrationCounts): void;
}

export function registrarMemory(options: RegistrarOptions): RegistrarMemory {
  const { host, agent, version } = options;
  let status: Registration = {
    state: "disconnected",
    sinceMs: options.now(),
    why: "not connected yet",
    endpoint: null,
    lease: null,
    refreshedAtMs: null,
    wanted: null,
    published: 0,
    doubts: [],
    counts: { transactions: 0, conflicts: 0, keepalives: 0, leases: 0, breaks: 0 },
  };
  return {
    options,
    record: hostRecordText({ host, agent, version }),
    changed: dirtyFlag(),
    size: batchSize(),
    wanted: null,
    lease: null,
    hasHeld: false,
    told: new Set(),
    isEnding: false,
    hasNothingToWithdraw() {
      return options.onExit === "leave" || this.lease === null;
    },
    get status() {
      return status;
    },
    tell: (change) => {
      const isSame = change.state === undefined || change.state === status.state;
      status = { ...status, ...change, sinceMs: isSame ? status.sinceMs : options.now() };
    },
    count: (what) => {
      status = { ...status, counts: { ...status.counts, [what]: status.counts[what] + 1 } };
    },
  };
}

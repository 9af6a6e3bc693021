import type { Snapshot } from "../core/snapshot.ts";
import type { SourceState } from "../core/status.ts";

/** The latest snapshot of every source. Whoever puts something there is heard by `onChange`. */
export interface Board {
  put(snapshot: Snapshot): void;
  /** A picture of an earlier process, published at `publishedAtMs`; it counts until the source publishes. */
  recall(snapshot: Snapshot, publishedAtMs: number): void;
  down(name: string, error: string): void;
  /** In the order in which the sources were given, which is their order of precedence. */
  sources(): readonly SourceState[];
  snapshots(): readonly Snapshot[];
  /** Sources that must exist and never published. */
  missing(): readonly SourceState[];
  /** Sources that need not exist and never published. */
  absent(): readonly SourceState[];
}

const NEVER_SEEN = { error: null, snapshot: null, publishedAtMs: null, isRecalled: false } as const;

export function board(options: {
  names: readonly string[];
  /** Those of the names that need not exist on this machine. */
  optional?: readonly string[];
  onChange: () => void;
  now: () => number;
}): Board {
  const { now, optional = [] } = options;
  const states = new Map<string, SourceState>(
    options.names.map((name) => [
      name,
      { ...NEVER_SEEN, name, state: optional.includes(name) ? "absent" : "starting", sinceMs: now() },
    ]),
  );
  const state = (name: string): SourceState => {
    const found = states.get(name);
    if (found === undefined) throw new Error(`no source is called ${name}`);
    return found;
  };
  return {
    put: (snapshot) => {
      const before = state(snapshot.source);
      const sinceMs = before.state === "live" ? before.sinceMs : now();
      const publishedAtMs = now();
      const live = {
        state: "live",
        sinceMs,
        error: null,
        snapshot,
        publishedAtMs,
        isRecalled: false,
      } as const;
      states.set(before.name, { ...before, ...live });
      options.onChange();
    },
    recall: (snapshot, publishedAtMs) => {
      const before = state(snapshot.source);
      if (before.snapshot !== null) return;
      states.set(before.name, { ...before, snapshot, publishedAtMs, isRecalled: true });
      options.onChange();
    },
    down: (name, error) => {
      const before = state(name);
      const kind = before.snapshot === null || before.isRecalled ? before.state : "down";
      const sinceMs = before.state === kind ? before.sinceMs : now();
      states.set(name, { ...before, state: kind, sinceMs, error });
    },
    sources: () => [...states.values()],
    snapshots: () => [...states.values()].flatMap((one) => (one.snapshot === null ? [] : [one.snapshot])),
    missing: () => [...states.values()].filter((one) => one.state === "starting"),
    absent: () => [...states.values()].filter((one) => one.state === "absent"),
  };
}

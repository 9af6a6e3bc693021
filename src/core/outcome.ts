import type { Reason } from "./structure.ts";

/** How one pass of the loop ended. */
export type Outcome =
  /** HAProxy runs what is wanted. */
  | { readonly kind: "unchanged" }
  /** Nothing may be applied yet; says what is waited for. */
  | { readonly kind: "waiting"; readonly reason: string }
  /** A reload is due, but the last one was too short ago; it will happen at the end of the window. */
  | { readonly kind: "deferred"; readonly reasons: readonly Reason[] }
  /** HAProxy was proven to run the new text. */
  | {
      readonly kind: "applied";
      /** `runtime`: over the socket, without a reload. */
      readonly way: "runtime" | "reload";
      /** Why a reload was needed; none for `runtime`. */
      readonly reasons: readonly Reason[];
      /** What was done over the socket, in words: `add webserver/web4`; at most 20, and none for a reload. */
      readonly operations: readonly string[];
      readonly revision: string | null;
      readonly servers: number;
    }
  /** The candidate is bad and what ran before goes on; the next good state is applied. */
  | { readonly kind: "refused"; readonly stage: Stage; readonly reason: string }
  /** The candidate could not be brought to run; it is tried again, soon when HAProxy did not even answer. */
  | {
      readonly kind: "failed";
      readonly stage: Stage;
      readonly reason: string;
      readonly unreachable: boolean;
    };

/** The stages of a pass, in their order. */
export const STAGES = ["merge", "render", "runtime", "check", "commit", "reload", "confirm"] as const;
export type Stage = (typeof STAGES)[number];

/** Milliseconds by stage. */
export type StageTimings = Readonly<Partial<Record<Stage, number>>>;
/** The same while the pass goes on: whoever does a stage fills it in. */
export type Stopwatch = Partial<Record<Stage, number>>;

/** One pass, as the log, the metrics and the status page tell it. */
export interface PassRecord {
  /** Counts from 1 in this process; stands on every log line of the pass. */
  readonly pass: number;
  /** When it began, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Until its outcome was certain; a check that follows a change over the socket does not count. */
  readonly durationMs: number;
  readonly timings: StageTimings;
  readonly outcome: Outcome;
}

/** A request that failed; times are those of `performance.now()`. */
export interface Failure {
  readonly reason: string;
  readonly sentAtMs: number;
  readonly atMs: number;
}

/** Why a request could not but fail: something that it needed was killed on purpose. */
export type Excuse = "HAProxy was killed" | "an application was killed" | "this machine stood still";

/** Times at which something was missing on purpose, and the failures that they explain. */
export interface Excuses {
  /** @returns what tells that the time is over, `slackMs` later. */
  begin(why: Excuse, slackMs: number, fromMs?: number): () => void;
  fail(failure: Failure): void;
  /** Failed requests by excuse, as far as they have one. */
  explained(): ReadonlyMap<Excuse, number>;
  unexplained(): readonly Failure[];
}

interface Span {
  readonly why: Excuse;
  readonly fromMs: number;
  untilMs: number;
}

export function excuses(): Excuses {
  const spans: Span[] = [];
  const failures: Failure[] = [];
  const excuseOf = ({ reason, sentAtMs, atMs }: Failure): Excuse | undefined =>
    spans.find(
      ({ why, fromMs, untilMs }) =>
        fromMs <= atMs &&
        untilMs >= sentAtMs &&
        // As long as HAProxy lives, it answers for an application that does not, at most with half an answer.
        (why !== "an application was killed" || /^(?:\d+|aborted)$/.test(reason)),
    )?.why;
  return {
    begin: (why, slackMs, fromMs = performance.now()) => {
      const span: Span = { why, fromMs, untilMs: Infinity };
      spans.push(span);
      return () => (span.untilMs = performance.now() + slackMs);
    },
    fail: (failure) => void failures.push(failure),
    explained: () => {
      const counts = new Map<Excuse, number>();
      for (const failure of failures) {
        const why = excuseOf(failure);
        if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
      }
      return counts;
    },
    unexplained: () => failures.filter((failure) => excuseOf(failure) === undefined),
  };
}

const LOOK_MS = 100;
const STILL_MS = 3000;
/** Checks of all applications may have failed meanwhile, and need two good ones. */
const STILL_SLACK_MS = 6000;

/** Notes when this process, with its clients and applications, did not run for seconds. */
export function watchOwnPauses({ begin }: Excuses): Disposable {
  let seenAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - seenAt > STILL_MS) begin("this machine stood still", STILL_SLACK_MS, seenAt)();
    seenAt = now;
  }, LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

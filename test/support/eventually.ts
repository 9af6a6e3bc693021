import { setTimeout as sleep } from "node:timers/promises";

/**
 * Calls `attempt` until it no longer throws, and returns its value.
 * @param options.timeoutMs How long to go on trying; 10 seconds when not given.
 * @param options.everyMs Pause between two tries; 20 ms when not given.
 * @throws Error with the last failure as its cause, when the time is over. A single attempt that never settles
 * counts as a failure too.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 10_000, everyMs = 20 } = options;
  const startedAt = performance.now();
  let failure: unknown = new Error("The first attempt did not end.");
  for (;;) {
    const leftMs = timeoutMs - (performance.now() - startedAt);
    if (leftMs <= 0) break;
    const outcome = await Promise.race([settle(attempt), expire(leftMs)]);
    if (outcome.kind === "done") return outcome.value;
    if (outcome.kind === "expired") break;
    failure = outcome.failure;
    await sleep(everyMs);
  }
  const waitedMs = Math.round(performance.now() - startedAt);
  const reason = failure instanceof Error ? failure.message : String(failure);
  throw new Error(`Not reached after ${waitedMs} ms: ${reason}`, { cause: failure });
}

type Outcome<T> = { kind: "done"; value: T } | { kind: "failed"; failure: unknown } | { kind: "expired" };

async function settle<T>(attempt: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: "done", value: await attempt() };
  } catch (failure) {
    return { kind: "failed", failure };
  }
}

async function expire(ms: number): Promise<{ kind: "expired" }> {
  await sleep(ms, undefined, { ref: false });
  return { kind: "expired" };
}

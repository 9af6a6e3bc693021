/**
 * One slot that says "something changed". Many pokes while nobody waits are one poke: a burst costs one pass, and
 * memory stays bounded.
 */
export interface DirtyFlag {
  poke(): void;
  /** Whether it was poked and nobody has waited since. */
  isSet(): boolean;
  /** Resolves as soon as the flag is set, and leaves it so. */
  poked(): Promise<void>;
  /** Resolves when the flag is set, and clears it; resolves without a poke when `signal` aborts or `timeoutMs` is over. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<"poked" | "timeout" | "aborted">;
}

export function dirtyFlag(): DirtyFlag {
  let dirty = false;
  let wake: (() => void) | undefined;
  let watchers: (() => void)[] = [];
  return {
    poke: () => {
      dirty = true;
      wake?.();
      for (const resolve of watchers) resolve();
      watchers = [];
    },
    poked: () =>
      dirty
        ? Promise.resolve()
        : new Promise((resolve) => {
            // Only the latest one is waited for: those of passes that ended are dropped.
            watchers = [resolve];
          }),
    isSet: () => dirty,
    wait: (signal, timeoutMs) =>
      new Promise((resolve) => {
        const finish = (result: "poked" | "timeout" | "aborted"): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          wake = undefined;
          if (result === "poked") dirty = false;
          resolve(result);
        };
        const onAbort = (): void => finish("aborted");
        let timer: NodeJS.Timeout | undefined;
        if (signal.aborted) return finish("aborted");
        if (dirty) return finish("poked");
        wake = () => finish("poked");
        signal.addEventListener("abort", onAbort, { once: true });
        if (timeoutMs !== undefined) timer = setTimeout(() => finish("timeout"), timeoutMs);
      }),
  };
}

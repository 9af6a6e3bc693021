/** Grows a delay with each failure and forgets them after a success. */
export interface Backoff {
  /** The delay before the next attempt, in milliseconds, spread by ±50 % so that many daemons do not move in step. */
  next(): number;
  reset(): void;
}

/** Delays of `firstMs`, twice that, and so on, up to `maxMs`. */
export function backoff(options: { firstMs: number; maxMs: number; random?: () => number }): Backoff {
  const random = options.random ?? Math.random;
  let failures = 0;
  return {
    next: () => Math.min(options.maxMs, options.firstMs * 2 ** Math.min(failures++, 30)) * (0.5 + random()),
    reset: () => {
      failures = 0;
    },
  };
}

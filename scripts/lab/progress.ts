/**
 * Runs one step of the set-up and prints one line about it on stderr: what it does, and how long it took.
 * Only for steps that do real work: what is there already stays silent.
 */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const seconds = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  process.stderr.write(`${what} ... `);
  try {
    const result = await work();
    process.stderr.write(`${seconds()}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`failed after ${seconds()}\n`);
    throw error;
  }
}

/** Prints one line about something that needed no work. */
export function ready(what: string): void {
  process.stderr.write(`${what}\n`);
}

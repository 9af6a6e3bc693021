import { whoAnswers } from "../../test/support/prober.ts";

/** Sends requests one after the other and counts the answers by server; a failure counts under its reason. */
export async function sample(url: string, requests: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let sent = 0; sent < requests; sent++) {
    const name = await whoAnswers(url).catch((error: unknown) => `failed: ${(error as Error).message}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].toSorted(([a], [b]) => a.localeCompare(b)));
}

/**
 * Checks that exactly these servers answered, each about as often as the others.
 * @throws Error that says who answered how often.
 */
export function expectBalanced(counts: ReadonlyMap<string, number>, names: readonly string[]): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const least = total / names.length / 2;
  const seen = [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
  const even = names.every((name) => (counts.get(name) ?? 0) >= least);
  if (!even || counts.size !== names.length)
    throw new Error(`the traffic should be shared by ${names.join(", ")}, but it was: ${seen}`);
}

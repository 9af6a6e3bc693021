import type { Snapshot } from "./core/snapshot.ts";
import type { Source } from "./discovery/source.ts";
import { messageOf, SourceError } from "./lib/errors.ts";

/**
 * One picture of each source, for commands that look once.
 * @throws SourceError that names every source that could not be read within `timeoutMs`.
 */
export async function pictures(
  sources: readonly Source[],
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<readonly Snapshot[]> {
  const results = await Promise.allSettled(sources.map((source) => picture(source, options)));
  const failures = results.flatMap((result) =>
    result.status === "rejected" ? [messageOf(result.reason)] : [],
  );
  if (failures.length > 0) throw new SourceError(failures.join("; "));
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

async function picture(
  source: Source,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Snapshot> {
  const stop = new AbortController();
  const tooLate = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, stop.signal, tooLate]);
  let found: Snapshot | null = null;
  try {
    await source.run((snapshot) => {
      found ??= snapshot;
      stop.abort();
    }, signal);
  } catch (error) {
    if (found === null) throw error;
  }
  if (found === null) throw new SourceError(`${source.name}: no answer within ${options.timeoutMs / 1000} s`);
  return found;
}

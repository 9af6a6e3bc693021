import { SourceError } from "../lib/errors.ts";
import type { EtcdKeyValue, EtcdRangeAnswer } from "./messages.ts";
import type { EtcdSession } from "./session.ts";
import { isDenied, isTooLarge } from "./trouble.ts";

/** Of all values together. */
export const MAX_BYTES = 256 * 1024 * 1024;
const PAGE_KEYS = 1000;
const PAGE_MS = 10_000;

/** With the slash at its end, without which `/app/servers` would also mean `/app/servers-old/`. */
export const folderPrefix = (prefix: string): string => (prefix.endsWith("/") ? prefix : `${prefix}/`);

/** The range of all keys that begin with `prefix`, which must not be empty. */
export function prefixRange(prefix: string): { key: Buffer; range_end: Buffer } {
  const key = Buffer.from(prefix);
  const end = Buffer.from(key);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1; // UTF-8 has no byte 0xFF that could overflow.
  return { key, range_end: end };
}

/**
 * All entries under all `prefixes` as they were at one revision, handed to `onEntry` page by page.
 * @returns that revision, as decimal text.
 */
export async function listPrefixes(given: {
  session: EtcdSession;
  prefixes: readonly string[];
  maxKeys: number;
  onEntry: (entry: EtcdKeyValue) => void;
}): Promise<string> {
  const { session, prefixes, maxKeys, onEntry } = given;
  let keys = 0;
  let bytes = 0;
  let revision: string | undefined;
  for (const prefix of prefixes) {
    let range = prefixRange(prefix);
    for (let more = true; more;) {
      const pinned = revision === undefined ? range : { ...range, revision };
      const page = await readPage(session, pinned, prefix);
      revision ??= page.header.revision;
      // The count is that of the whole rest of the range, so the first page already tells.
      assertBounded({ keys: keys + Number(page.count), bytes, maxKeys });
      for (const entry of page.kvs) {
        bytes += entry.key.length + entry.value.length;
        onEntry(entry);
      }
      keys += page.kvs.length;
      const last = page.kvs.at(-1);
      more = page.more && last !== undefined;
      if (last !== undefined) range = { ...range, key: Buffer.concat([last.key, Buffer.of(0)]) };
    }
  }
  assertBounded({ keys, bytes, maxKeys });
  return revision ?? "0";
}

async function readPage(
  session: EtcdSession,
  range: { key: Buffer; range_end: Buffer; revision?: string },
  prefix: string,
): Promise<EtcdRangeAnswer> {
  for (let limit = PAGE_KEYS; ; limit = Math.ceil(limit / 10)) {
    try {
      return await session.call(PAGE_MS, (client, options) => client.range({ ...range, limit }, options));
    } catch (thrown) {
      if (isDenied(thrown))
        throw new SourceError(`permission denied for ${prefix} (the user's role needs READ)`);
      if (!isTooLarge(thrown) || limit === 1) throw thrown;
    }
  }
}

export const tooMuch = (): SourceError =>
  new SourceError(`refused: more than ${MAX_BYTES / 1024 ** 2} MiB of values`);

/** Better the last picture than no memory left. */
function assertBounded({ keys, bytes, maxKeys }: { keys: number; bytes: number; maxKeys: number }): void {
  if (keys > maxKeys) throw new SourceError(`refused: ${keys} keys, ${maxKeys} are the limit`);
  if (bytes > MAX_BYTES) throw tooMuch();
}

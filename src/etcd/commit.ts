import type { EtcdCompare, EtcdOperation } from "./messages.ts";
import type { EtcdSession } from "./session.ts";

/** What a key must be for a write to happen: last written at that revision, "0" = not there. */
export interface Expectation {
  readonly key: string;
  readonly modRevision: string;
}

/** One write of a transaction. `lease` "0" = a key that stays. */
export type Write =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease: string }
  | { readonly kind: "delete"; readonly key: string };

/** Writes that happen together, or not at all. */
export interface Commit {
  readonly expects: readonly Expectation[];
  readonly writes: readonly Write[];
}

const COMMIT_MS = 5000;

/**
 * Writes if all is as expected.
 * @returns the revision of the writes; null = something was not as expected, and nothing was written.
 */
export async function commit(session: EtcdSession, { expects, writes }: Commit): Promise<string | null> {
  const request = { compare: expects.map(compare), success: writes.map(operation) };
  const answer = await session.call(COMMIT_MS, (client, options) => client.txn(request, options));
  return answer.succeeded ? answer.header.revision : null;
}

const compare = ({ key, modRevision }: Expectation): EtcdCompare => ({
  key: Buffer.from(key),
  target: "MOD",
  result: "EQUAL",
  mod_revision: modRevision,
});

function operation(write: Write): EtcdOperation {
  const key = Buffer.from(write.key);
  if (write.kind === "delete") return { request_delete_range: { key } };
  return { request_put: { key, value: Buffer.from(write.value), lease: write.lease } };
}

import type { Commit, Expectation, Write } from "../core/store-write.ts";
import type { EtcdCompare, EtcdOperation } from "./messages.ts";
import type { EtcdSession } from "./session.ts";

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
  target: "Mod",
  result: "Equal",
  mod_revision: modRevision,
});

function operation(write: Write): EtcdOperation {
  const key = Buffer.from(write.key);
  if (write.kind === "delete") return { request_delete_range: { key } };
  return { request_put: { key, value: Buffer.from(write.value), lease: write.lease } };
}

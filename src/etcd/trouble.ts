import { messageOf } from "../lib/errors.ts";

/** gRPC's status codes that etcd uses, by number: https://grpc.io/docs/guides/status-codes/ */
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const UNAUTHENTICATED = 16;

interface GrpcError {
  readonly code: number;
  readonly details: string;
}

/** Texts that name a cause, and what to say; the first that fits counts. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/request timed out/i, "no answer in time: its members did not agree"],
  [/server stopped/i, "connection lost: it is being stopped"],
  [/no leader/i, "no leader: the cluster has lost its majority"],
  [/invalid user ID or password/i, "user name or password refused"],
  [/user name is empty/i, "it wants a user name and a password"],
  [/invalid auth token|revision of auth store is old/i, "the login is no longer valid"],
  [/required revision has been compacted/i, "the revision has been compacted"],
  [
    /database space exceeded/i,
    "it is out of space and takes no new keys: compact and defragment it, then etcdctl alarm disarm",
  ],
  [/too many requests/i, "it has more requests waiting than it takes: too many clients, or a slow disk"],
  [/lease not found/i, "the lease has ended"],
  [/duplicate key given in txn/i, "a key was to be written twice in one transaction"],
  [/too many operations in txn/i, "more operations in one transaction than it takes (its --max-txn-ops)"],
  [/request is too large|grpc: received message larger/i, "a request larger than its --max-request-bytes"],
  [/ECONNREFUSED/, "connection refused"],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, "the host name cannot be resolved"],
  [/EHOSTUNREACH|ENETUNREACH/, "the host is unreachable"],
  [/unable to verify|self-signed/i, "TLS: its certificate is not signed by an authority that we trust"],
  [/altnames/i, "TLS: its certificate is for another name or address"],
  [/certificate has expired/i, "TLS: its certificate has expired"],
  [/alert certificate required/i, "TLS: it wants a client certificate"],
  [/alert .*(?:certificate|unknown ca)/i, "TLS: our client certificate was refused"],
  [/before secure TLS connection/, "it does not speak TLS: should the endpoint begin with http://?"],
  [/^Failed to connect$/, "it does not speak etcd's protocol: should the endpoint begin with https://?"],
  [/ECONNRESET|Connection dropped|socket hang up|GOAWAY/i, "connection lost"],
  [/keepalive/i, "connection lost: no sign of life"],
];

/** What went wrong with a call, in words for an operator. */
export function etcdTrouble(thrown: unknown): string {
  const error = asGrpcError(thrown);
  if (error === null) return messageOf(thrown);
  if (error.code === DEADLINE_EXCEEDED) return "no answer in time";
  if (error.code === PERMISSION_DENIED) return "permission denied";
  const details = withoutWrapping(error.details);
  const cause = CAUSES.find(([pattern]) => pattern.test(details));
  if (cause !== undefined) return cause[1];
  return details === "" ? `gRPC code ${error.code}` : details;
}

/**
 * "No connection established. Last error: CAUSE (TIME). Resolution note: …" → CAUSE. The time would make each of a row
 * of equal failures look like a new one.
 */
const withoutWrapping = (details: string): string =>
  details
    .replace(/^.*Last error: /s, "")
    .replace(/\.? Resolution note: .*$/s, "")
    .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, "")
    .trim();

/**
 * True when a new login may mend it: etcd no longer knows our token, has changed its users or roles since (tokens of
 * the kind "jwt"), or has begun to ask for one.
 */
export const isStaleLogin = (thrown: unknown): boolean =>
  asGrpcError(thrown)?.code === UNAUTHENTICATED ||
  is(thrown, INVALID_ARGUMENT, /revision of auth store is old|user name is empty/);

/** True when etcd has users but none of them has to log in. */
export const isAuthOff = (thrown: unknown): boolean =>
  is(thrown, FAILED_PRECONDITION, /authentication is not enabled/);

/** True when the revision that was asked for is no longer there. */
export const isCompacted = (thrown: unknown): boolean =>
  is(thrown, OUT_OF_RANGE, /required revision has been compacted/);

/** True when an answer was larger than the channel takes. */
export const isTooLarge = (thrown: unknown): boolean =>
  is(thrown, RESOURCE_EXHAUSTED, /^Received message larger than max/);

/** True when the user may not do with some key what was asked for; etcd does not say with which. */
export const isDenied = (thrown: unknown): boolean => asGrpcError(thrown)?.code === PERMISSION_DENIED;

/** True when there is no such lease any more, so that nothing can be written with it. */
export const isLeaseGone = (thrown: unknown): boolean => is(thrown, NOT_FOUND, /requested lease not found/);

/** True when etcd is full: it refuses new leases and all that writes a key. Deleting and refreshing still work. */
export const isNoSpace = (thrown: unknown): boolean =>
  is(thrown, RESOURCE_EXHAUSTED, /database space exceeded/);

/** True when a transaction has more operations, or more bytes, than this etcd takes: less at a time may do. */
export const isTooMany = (thrown: unknown): boolean =>
  is(thrown, INVALID_ARGUMENT, /too many operations in txn|request is too large/) ||
  is(thrown, RESOURCE_EXHAUSTED, /^grpc: received message larger than max/);

function is(thrown: unknown, code: number, details: RegExp): boolean {
  const error = asGrpcError(thrown);
  return error?.code === code && details.test(error.details);
}

function asGrpcError(thrown: unknown): GrpcError | null {
  if (!(thrown instanceof Error) || !("code" in thrown) || !("details" in thrown)) return null;
  const { code, details } = thrown;
  return typeof code === "number" && typeof details === "string" ? { code, details } : null;
}

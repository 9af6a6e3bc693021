import { messageOf } from "../lib/errors.ts";

/** gRPC's status codes that etcd uses, by number: https://grpc.io/docs/guides/status-codes/ */
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const UNAUTHENTICATED = 16;

interface GrpcError {
  readonly code: number;
  readonly details: string;
}

/** Texts that name a cause, and what to say; the first that fits counts. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/no leader/i, "no leader: the cluster has lost its majority"],
  [/invalid user ID or password/i, "user name or password refused"],
  [/user name is empty/i, "it wants a user name and a password"],
  [/invalid auth token/i, "the login is no longer valid"],
  [/required revision has been compacted/i, "the revision has been compacted"],
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

/** True when etcd no longer knows our token: a new login mends it. */
export const isStaleLogin = (thrown: unknown): boolean => asGrpcError(thrown)?.code === UNAUTHENTICATED;

/** True when etcd has users but none of them has to log in. */
export function isAuthOff(thrown: unknown): boolean {
  const error = asGrpcError(thrown);
  return error?.code === FAILED_PRECONDITION && /authentication is not enabled/.test(error.details);
}

/** True when an answer was larger than the channel takes. */
export function isTooLarge(thrown: unknown): boolean {
  const error = asGrpcError(thrown);
  return error?.code === RESOURCE_EXHAUSTED && /larger than max/i.test(error.details);
}

/** True when the user may not read what was asked for. */
export const isDenied = (thrown: unknown): boolean => asGrpcError(thrown)?.code === PERMISSION_DENIED;

function asGrpcError(thrown: unknown): GrpcError | null {
  if (!(thrown instanceof Error) || !("code" in thrown) || !("details" in thrown)) return null;
  const { code, details } = thrown;
  return typeof code === "number" && typeof details === "string" ? { code, details } : null;
}

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
  [/certificate|SSL routines|self-signed|altnames/i, "TLS refused"],
  [/ECONNRESET|Connection dropped|socket hang up|GOAWAY/i, "connection lost"],
  [/keepalive/i, "connection lost: no sign of life"],
];

/** What went wrong with a call, in words for an operator. */
export function etcdTrouble(thrown: unknown): string {
  const error = asGrpcError(thrown);
  if (error === null) return messageOf(thrown);
  if (error.code === DEADLINE_EXCEEDED) return "no answer in time";
  if (error.code === PERMISSION_DENIED) return "permission denied";
  const cause = CAUSES.find(([pattern]) => pattern.test(error.details));
  if (cause === undefined) return error.details === "" ? `gRPC code ${error.code}` : error.details;
  const [, words] = cause;
  return words === "TLS refused" ? `${words}: ${error.details.replace(/^.*Last error: /s, "")}` : words;
}

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

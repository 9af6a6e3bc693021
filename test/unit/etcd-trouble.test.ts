import { describe, expect, test } from "vitest";
import {
  etcdTrouble,
  isAuthOff,
  isDenied,
  isLeaseGone,
  isNoSpace,
  isStaleLogin,
  isTooLarge,
  isTooMany,
} from "../../src/etcd/trouble.ts";
import { SourceError } from "../../src/lib/errors.ts";

const grpc = (code: number, details: string): Error =>
  Object.assign(new Error(`${code} ${details}`), { code, details });
const failed = (cause: string): string =>
  `No connection established. Last error: ${cause}. Resolution note: `;

describe("etcdTrouble", () => {
  // Recorded from etcd 3.4 and 3.5, grpc-js 1.14 and Node 24.
  test.each([
    [14, failed("Error: connect ECONNREFUSED 127.0.0.1:1"), "connection refused"],
    [14, "Name resolution failed for target dns:256.1.1.1:80", "the host name cannot be resolved"],
    [14, "Connection dropped", "connection lost"],
    [14, "read ECONNRESET", "connection lost"],
    [14, "etcdserver: request timed out, possibly due to previous leader failure", "members did not agree"],
    [14, "etcdserver: no leader", "no leader: the cluster has lost its majority"],
    [14, failed("Failed to connect (2026-11-21T02:22:38.250Z)"), "should the endpoint begin with https://?"],
    [
      14,
      failed(
        "Error: unable to verify the first certificate; if the root CA is installed locally, try running Node.js",
      ),
      "not signed by an authority that we trust",
    ],
    [
      14,
      failed(
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127.0.0.2",
      ),
      "for another name or address",
    ],
    [
      14,
      failed(
        "403:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:..:\n (2026-11-21T02:22Z)",
      ),
      "TLS: it wants a client certificate",
    ],
    [
      14,
      failed(
        "403:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:..:SSL alert number 48\n",
      ),
      "TLS: our client certificate was refused",
    ],
    [
      14,
      failed("Error: Client network socket disconnected before secure TLS connection was established"),
      "should the endpoint begin with http://?",
    ],
    [14, failed("something new (2026-11-21T02:22:38.250Z)"), "something new"],
    [4, "Deadline exceeded after 3.002s", "no answer in time"],
    [3, "etcdserver: authentication failed, invalid user ID or password", "user name or password refused"],
    [3, "etcdserver: user name is empty", "it wants a user name and a password"],
    [7, "etcdserver: permission denied", "permission denied"],
    [16, "etcdserver: invalid auth token", "the login is no longer valid"],
    [3, "etcdserver: revision of auth store is old", "the login is no longer valid"],
    [8, "etcdserver: mvcc: database space exceeded", "compact and defragment it, then etcdctl alarm disarm"],
    [
      8,
      "etcdserver: too many requests",
      "it has more requests waiting than it takes: too many clients, or a slow disk",
    ],
    [5, "etcdserver: requested lease not found", "the lease has ended"],
    [3, "etcdserver: duplicate key given in txn request", "a key was to be written twice in one transaction"],
    [3, "etcdserver: too many operations in txn request", "than it takes (its --max-txn-ops)"],
    [3, "etcdserver: request is too large", "a request larger than its --max-request-bytes"],
    [
      8,
      "grpc: received message larger than max (3000020 vs. 544288)",
      "a request larger than its --max-request-bytes",
    ],
    [11, "etcdserver: mvcc: required revision has been compacted", "the revision has been compacted"],
    [2, "", "gRPC code 2"],
  ])("%i %.50s", (code, details, words) => {
    expect(etcdTrouble(grpc(code, details))).toMatch(new RegExp(`${words.replace(/[?/:()]/g, "\\$&")}$`));
  });

  test("what is no gRPC error keeps its own words", () => {
    expect(etcdTrouble(new SourceError("refused: 7 keys", { cause: new Error("why") }))).toBe(
      "refused: 7 keys: why",
    );
    expect(etcdTrouble("text")).toBe("text");
    expect(etcdTrouble(Object.assign(new Error("ENOENT: x"), { code: "ENOENT" }))).toBe("ENOENT: x");
  });
});

test("errors that are acted on are told by their codes and words", () => {
  const told = [
    [isStaleLogin, 16, "etcdserver: invalid auth token"],
    [isStaleLogin, 3, "etcdserver: revision of auth store is old"],
    [isStaleLogin, 3, "etcdserver: user name is empty"],
    [isDenied, 7, "etcdserver: permission denied"],
    [isAuthOff, 9, "etcdserver: authentication is not enabled"],
    [isTooLarge, 8, "Received message larger than max (6003617 vs 4194304)"],
    [isLeaseGone, 5, "etcdserver: requested lease not found"],
    [isNoSpace, 8, "etcdserver: mvcc: database space exceeded"],
    [isTooMany, 3, "etcdserver: too many operations in txn request"],
    [isTooMany, 3, "etcdserver: request is too large"],
    [isTooMany, 8, "grpc: received message larger than max (3000020 vs. 544288)"],
  ] as const;
  const all = [...new Set(told.map(([is]) => is))];
  for (const [is, code, details] of told) {
    expect(all.filter((one) => one(grpc(code, details)))).toEqual([is]);
  }
  const others = [grpc(3, "etcdserver: duplicate key given in txn request"), new Error("16")];
  for (const error of [...others, grpc(8, "etcdserver: too many requests"), grpc(5, "etcdserver: not found")])
    expect(all.filter((one) => one(error))).toEqual([]);
});

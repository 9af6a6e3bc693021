import { type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";

/**
 * The branches on which the long tests of faults run: the oldest and the newest, which differ most. With the variable
 * LONG_TESTS all of them.
 */
export const faultVersions: readonly HaproxyVersion[] =
  process.env["LONG_TESTS"] === undefined ? ["2.6", "3.2"] : haproxyVersions;

import { countServers } from "./haproxy-config.ts";
import { describeOperation, type Operation } from "./operation.ts";
import type { Outcome } from "./outcome.ts";
import type { Stamped } from "./stamp.ts";
import type { Reason } from "./structure.ts";

/** No more operations than an operator reads. */
const MAX_OPERATIONS = 20;

/** HAProxy was proven to run `text`; without operations, by a reload. */
export function appliedOutcome(
  { revision, sections }: Stamped,
  given: { reasons: readonly Reason[]; operations?: readonly Operation[] },
): Outcome {
  const { reasons, operations = [] } = given;
  return {
    kind: "applied",
    way: given.operations === undefined ? "reload" : "runtime",
    reasons,
    operations: operations.slice(0, MAX_OPERATIONS).map(describeOperation),
    revision,
    servers: countServers(sections),
  };
}

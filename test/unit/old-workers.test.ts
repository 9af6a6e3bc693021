import { expect, it } from "vitest";
import type { Logger } from "../../src/lib/logger.ts";
import { oldWorkersTeller } from "../../src/tell-old-workers.ts";
import { nullLogger } from "../support/null-logger.ts";

/** Numbers of old workers that were told of, look by look; 0 = nothing. */
function told(...looks: readonly (number | null)[]): readonly number[] {
  let last = 0;
  const warn: Logger["warn"] = (fields) => (last = Number(fields["oldWorkers"]));
  const tell = oldWorkersTeller({ ...nullLogger, warn });
  return looks.map((workers) => {
    last = 0;
    tell(workers);
    return last;
  });
}

it.each([
  ["few", [1, 5, 5, 5], [0, 0, 0, 0]],
  ["many for a moment", [1, 6, 5, 6, 1], [0, 0, 0, 0, 0]],
  ["many at two looks, once", [6, 7, 8, 9], [0, 6, 0, 0]],
  ["many again after few", [6, 6, 5, 6, 6], [0, 5, 0, 0, 5]],
  ["many, and no answer for a moment", [6, null, 6, null, 6], [0, 0, 5, 0, 0]],
  ["a master that cannot be seen", [null, null], [0, 0]],
])("%s", (_, looks, expected) => {
  expect(told(...looks)).toEqual(expected);
});

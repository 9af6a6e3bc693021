import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../../src/core/duration.ts";

describe("parseDuration", () => {
  test.each([
    ["1ms", 1],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5s", 1500],
    ["0.001s", 1],
    ["0.25m", 15_000],
    ["1.1m", 66_000],
    ["10m", 600_000],
    ["24h", 86_400_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  test.each([
    ["", "is no duration"],
    ["10", "write a number and ms, s, m or h"],
    ["s", "is no duration"],
    ["-1s", "is no duration"],
    ["+1s", "is no duration"],
    ["1 s", "is no duration"],
    ["1S", "is no duration"],
    ["1e3s", "is no duration"],
    [".5s", "is no duration"],
    ["2s\n", "is no duration"],
    ["1d", "is no duration"],
    ["0s", "not between 1ms and 24h"],
    ["25h", "not between 1ms and 24h"],
    ["1.5ms", "not a whole number of milliseconds"],
  ])("%j is refused", (text, reason) => {
    expect(parseDuration(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) as string });
  });

  test("whatever is accepted is a whole number of milliseconds within the limits", () => {
    const text = fc.stringMatching(/^[0-9]{1,4}(\.[0-9]{1,3})?(ms|s|m|h)$/);
    fc.assert(
      fc.property(text, (duration) => {
        const parsed = parseDuration(duration);
        if (!parsed.ok) return;
        expect(Number.isInteger(parsed.value)).toBe(true);
        expect(parsed.value).toBeGreaterThanOrEqual(1);
        expect(parsed.value).toBeLessThanOrEqual(86_400_000);
      }),
    );
  });
});

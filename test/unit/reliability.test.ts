import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { NOT_SHOWN, reliabilityPage, rowsOf, seenOn } from "../../scripts/reliability-page.ts";
import { summary } from "../../scripts/reliability-reporter.ts";
import type { Pledge } from "../support/pledge.ts";
import { PLEDGES } from "../support/promises.ts";

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const read = (file: string): string => readFileSync(pathOf(file), "utf8");
const ALL = PLEDGES.flatMap(({ pledges }) => pledges);

describe("what is promised", () => {
  test("is shown by tests that exist", () => {
    const shown = ALL.flatMap(({ shownBy }) => shownBy);
    expect(shown.filter(({ file }) => !existsSync(pathOf(file)))).toEqual([]);
    expect(shown.filter(({ file, title }) => !read(file).includes(`"${title}"`))).toEqual([]);
  });

  test("covers the thirty ways in which others fail, all of them shown", () => {
    const [{ pledges } = { pledges: [] }] = PLEDGES;
    expect(pledges.map(({ shownBy }) => shownBy.length > 0)).toEqual(Array.from({ length: 30 }, () => true));
  });

  test("is said once, and what no test shows is said too", () => {
    expect(new Set(ALL.map(({ what }) => what)).size).toBe(ALL.length);
    const [open, rows] = [
      ALL.filter(({ shownBy }) => shownBy.length === 0),
      rowsOf(read("docs/reliability.md")),
    ];
    expect(rows.filter((cells) => cells[2] === NOT_SHOWN).map((cells) => cells[1])).toEqual(
      open.map(({ what }) => what),
    );
  });

  test("is what docs/reliability.md says; npm run test:faults writes it", async () => {
    const page = read("docs/reliability.md");
    expect(page).toBe(await reliabilityPage(seenOn(page)));
  });
});

describe("the last figures", () => {
  const one: Pledge = { what: "x", shownBy: [{ file: "test/a.test.ts", title: "HAProxy %s does (it)" }] };
  const result = (version: string, state: "passed" | "failed" | "skipped" = "passed") => ({
    file: "test/a.test.ts",
    title: `HAProxy ${version} does (it)`,
    state,
    isSecondTry: false,
  });
  const told = (name: "requests sent" | "seconds to converge", value: number, version: string) => ({
    file: "/x/test/a.test.ts",
    test: `suite > HAProxy ${version} does (it)`,
    name,
    value,
  });

  test("are put together from all variants of a test", () => {
    const figures = [told("requests sent", 10, "2.6"), told("requests sent", 5, "3.0")];
    const times = [told("seconds to converge", 1.234, "2.6"), told("seconds to converge", 0.5, "3.0")];
    expect(summary(one, [result("2.6"), result("3.0")], [...figures, ...times])).toBe(
      "15 requests sent, 1.23 seconds to converge, 2 tests passed",
    );
  });

  test("say what failed or was skipped, and nothing when a test did not run", () => {
    expect(summary(one, [result("2.6"), result("3.0", "failed")], [])).toBe("**FAILED**: 1 of 2 tests");
    expect(summary(one, [result("2.6"), result("3.0", "skipped")], [])).toBe(
      "1 test passed, 1 skipped on this machine",
    );
    expect(summary(one, [{ ...result("2.6"), file: "test/b.test.ts" }], [])).toBeNull();
    expect(summary(one, [{ ...result("2.6"), title: "HAProxy 2.6 does it" }], [])).toBeNull();
  });
});

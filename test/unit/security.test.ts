import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
/** Cells of the threat model's rows. */
const ROWS = read("SECURITY.md")
  .split("\n")
  .filter((line) => line.startsWith("| **"))
  .map((line) => line.slice(1, -1).split("|"));
/** A file, and names of its tests. */
const SHOWN_BY = /`(test\/[^`]+)`: ((?:_[^_]+_(?:, )?)+)/g;

test("the threat model names who could attack", () => {
  expect(ROWS.length).toBeGreaterThan(6);
});

test.each(ROWS)("what stops one who %s is shown by tests that exist", (...cells) => {
  expect(cells).toHaveLength(4);
  const shown = [...(cells[3] ?? "").matchAll(SHOWN_BY)].flatMap(([, file = "", names = ""]) =>
    [...names.matchAll(/_([^_]+)_/g)].map(([, name = ""]) => [file, name] as const),
  );
  expect(shown).not.toEqual([]);
  for (const [file, name] of shown) {
    // Names have variable parts at their ends alone.
    expect(read(file).includes(`"${name}`), `${file} has no test "${name}"`).toBe(true);
  }
  // Nothing stands there that was not looked for.
  expect((cells[3] ?? "").replaceAll(SHOWN_BY, "").replaceAll(/[;\s]/g, "")).toBe("");
});

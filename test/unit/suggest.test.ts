import { expect, test } from "vitest";
import { suggest } from "../../src/core/suggest.ts";

const known = ["weight", "backup", "maxconn", "check", "state", "tags", "host", "path"];

test.each([
  ["wieght", "weight"],
  ["weigth", "weight"],
  ["Weight", "weight"],
  ["wght", "weight"],
  ["weightt", "weight"],
  ["max-conn", "maxconn"],
  ["stat", "state"],
  ["tag", "tags"],
  ["hosts", "host"],
])("%s means %s", (word, meant) => {
  expect(suggest(word, known)).toBe(meant);
});

test.each(["", "x", "colour", "checkpoint", "gt"])("%j means nothing known", (word) => {
  expect(suggest(word, known)).toBeUndefined();
});

test("a very long word costs nothing and means nothing", () => {
  expect(suggest("w".repeat(1_000_000), known)).toBeUndefined();
});

import { describe, expect, it } from "vitest";
import { pathMatch } from "../../src/render/path-match.ts";

// Patterns, texts and results of the test of Go's path.Match.
describe("matches as Go's path.Match", () => {
  it.each([
    ["abc", "abc", true],
    ["*", "abc", true],
    ["*c", "abc", true],
    ["a*", "a", true],
    ["a*", "abc", true],
    ["a*", "ab/c", false],
    ["a*/b", "abc/b", true],
    ["a*/b", "a/c/b", false],
    ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
    ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["a*b?c*x", "abxbbxdbxebxczzy", false],
    ["ab[c]", "abc", true],
    ["ab[b-d]", "abc", true],
    ["ab[e-g]", "abc", false],
    ["ab[^c]", "abc", false],
    ["ab[^b-d]", "abc", false],
    ["ab[^e-g]", "abc", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "ab", false],
    ["a?b", "a☺b", true],
    ["a[^a]b", "a☺b", true],
    ["a???b", "a☺b", false],
    ["[a-ζ]*", "α", true],
    ["*[a-ζ]", "A", false],
    ["a?b", "a/b", false],
    ["a*b", "a/b", false],
    ["[\\]a]", "]", true],
    ["[\\-]", "-", true],
    ["[x\\-]", "x", true],
    ["[x\\-]", "-", true],
    ["[x\\-]", "z", false],
    ["[\\-x]", "x", true],
    ["[\\-x]", "a", false],
    ["*x", "xxx", true],
    ["a.b", "axb", false],
    ["a😀?", "a😀😀", true],
    ["", "", true],
    ["", "x", false],
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(pathMatch(pattern).matches(text)).toBe(expected);
  });

  it.each(["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "[\\"])(
    "refuses %s",
    (pattern) => {
      expect(() => pathMatch(pattern)).toThrow(`syntax error in pattern ${JSON.stringify(pattern)}`);
    },
  );
});

it("knows what every match begins with", () => {
  expect(["/a/*", "/a", "*", "/a[b]", "/a\\*"].map((pattern) => pathMatch(pattern).prefix)).toEqual([
    "/a/",
    "/a",
    "",
    "/a",
    "/a",
  ]);
});

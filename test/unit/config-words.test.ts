import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWords } from "../../src/core/config-words.ts";

// What HAProxy itself makes of such lines is asked in test/golden/config-words.test.ts.
describe("readWords", () => {
  it.each<[string, string[]]>([
    ["  server a 127.0.0.1:80 check # comment", ["server", "a", "127.0.0.1:80", "check"]],
    ["\tbind\t:80\v\fx", ["bind", ":80", "x"]],
    ['log-format "%ci [%tr] #1"', ["log-format", "%ci [%tr] #1"]],
    ["http-request return string 'a \"b\" \\ #c'", ["http-request", "return", "string", 'a "b" \\ #c']],
    [`"it's" 'so'`, ["it's", "so"]],
    ["acl a path /x\\ y\\#z", ["acl", "a", "path", "/x y#z"]],
    ["a#b c", ["a"]],
    ['description ""', ["description", ""]],
    ["a'' \"\" b", ["a", "", "b"]],
    ['a"b c"d', ["ab cd"]],
    ["tab\\x41\\n", ["tabA\n"]],
    ["a\\qb \"a\\qb\" 'a\\'b", ["a\\qb", "a\\qb", "a\\b"]],
    [`a\\'b "a\\'b" a\\"b "a\\"b"`, ["a'b", "a'b", 'a"b', 'a"b']],
    ["a\\\tb\\", ["a\\", "b\\"]],
    ["a\\x00b c \\x00", ["a", "c", ""]],
    ["\\xe9 é", ["\udce9", "é"]],
    ['env "${HOME}/x" $HOME "$HOME"', ["env", "${HOME}/x", "$HOME", "$HOME"]],
    [`"\${A-b"c'\\x41 #d}\\x41" "\${A[*]}"`, [`\${A-b"c'\\x41 #d}A`, "${A[*]}"]],
    [`"\\$A" \\$A`, ["$A", "\\$A"]],
    ["# nothing", []],
    ["", []],
    [" \t", []],
    ['open "quote # stays', ["open", "quote # stays"]],
    ["crlf line\r", ["crlf", "line"]],
    ["'crlf' line\r", ["crlf", "line"]],
    ["\ra \rb\rc d", ["a", "b"]],
    ["[a] \u00a0 \u2028x", ["[a]", "\u00a0", "\u2028x"]],
  ])("reads %j", (line, words) => {
    expect(readWords(line)).toEqual(words);
  });

  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom(..."\"'\\#${}x4 1\t\r\v\fa-é\0".split("")), { maxLength: 40 })
      .map((chars) => chars.join("")),
  );

  it("reads any line without throwing, in any place of a line", () => {
    fc.assert(
      fc.property(line, (text) => {
        expect(readWords(`first ${text}`)).toEqual(["first", ...readWords(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads a word in single quotes back as it was", () => {
    const word = fc.string({ unit: "binary" }).filter((text) => !/['\r\n\0]/.test(text));
    fc.assert(
      fc.property(word, (text) => {
        expect(readWords(`a '${text}' b`)).toEqual(["a", text, "b"]);
      }),
    );
  });

  it("reads a plain line as it reads one with quotes or a comment", () => {
    const plain = fc.string({ unit: fc.constantFrom(..." \t\v\f$-{[a1é\u0001\u00a0".split("")) });
    fc.assert(
      fc.property(plain, (text) => {
        const words = readWords(text);
        expect(readWords(`${text} 'x'`)).toEqual([...words, "x"]);
        expect(readWords(`${text}#x`)).toEqual(words);
        expect(readWords(`${text}\r`)).toEqual(words);
      }),
    );
  });

  it("reads a long line in no time, however it is written", () => {
    for (const part of ["a ", "'a' ", '"a" ', "\\x41", '"a\\"', "${", '"${a-', '"$a']) {
      const started = performance.now();
      readWords(part.repeat(5_000));
      expect(performance.now() - started, part).toBeLessThan(500);
    }
  });
});

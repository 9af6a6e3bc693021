import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { haproxyBinary, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { readWords } from "../../src/core/config-words.ts";
import { tempDir } from "../support/temp-dir.ts";

/*
 * HAProxy is asked for the words of hundreds of lines at once: each line stands behind `filter lua.words NUMBER`, and a
 * Lua filter is given its words, byte for byte. Filters are set up before HAProxy would bind or serve anything; the last
 * one ends it.
 */
const LUA = `core.register_filter("words", {}, function(filter, words)
  if words[1] == "end" then io.stdout:flush() os.exit(0) end
  for at, word in ipairs(words) do words[at] = word:gsub(".", function(c) return ("%02x"):format(c:byte()) end) end
  io.stdout:write("words ", table.concat(words, " "), "\\n")
  return filter
end)
`;
const LINES_BEFORE = 4;

/** Each becomes itself, so that a reader who leaves references alone reads what HAProxy reads. */
const REFERENCES = ["$A", "${B}", "${C[*]}", "${D-'e f\"}", '${G[*]-"#}'];
const env = Object.fromEntries(REFERENCES.map((text) => [/\w/.exec(text)?.[0], text]));

const PIECES = [
  ...`"""'''\\\\\\# \t\r\v\fx41anrt-é\u0001\u00a0`.split(""),
  ...`\\x41 \\x7 \\xff \\x00 $1 "" '' "'" '"' \\" \\$`.split(" "),
  ...["  ", "a b", '"a ', "'b "],
  // The full stop or space keeps the name from growing on.
  ...REFERENCES.flatMap((text) => [`${text}.`, `"${text}"`, `\\${text} `]),
];
const anyLine = fc.array(fc.constantFrom(...PIECES), { maxLength: 16 }).map((pieces) => pieces.join(""));

/** The words of each line, as bytes; null when HAProxy refuses the line. */
async function haproxyWords(
  binary: string,
  lines: readonly string[],
): Promise<readonly (readonly Buffer[] | null)[]> {
  await using folder = await tempDir();
  const script = join(folder.path, "words.lua");
  const file = join(folder.path, "haproxy.cfg");
  await writeFile(script, LUA);
  const refused = new Set<number>();
  for (;;) {
    const filters = lines.map((line, at) => (refused.has(at) ? "" : `filter lua.words ${at} ${line}`));
    const text = ["global", `lua-load ${script}`, "backend b", ...filters, "filter lua.words end", ""];
    await writeFile(file, text.join("\n"));
    const { stdout, stderr } = await execa(binary, ["-db", "-f", file], {
      reject: false,
      env,
      timeout: 20_000,
    });
    const words = new Map(
      stdout.split("\n").map((line) => {
        const [number, ...rest] = line
          .split(" ")
          .slice(1)
          .map((hex) => Buffer.from(hex, "hex"));
        return [String(number), rest];
      }),
    );
    if (words.size > 1) return lines.map((_, at) => words.get(String(at)) ?? null);
    // It stops after 50 errors, so there may be more to find.
    const alerts = [...stderr.matchAll(/^\[ALERT\].* parsing \[[^\]]*:(\d+)\]/gm)];
    const found = alerts.map(([, number]) => Number(number) - LINES_BEFORE);
    if (found.every((at) => refused.has(at))) throw new Error(`HAProxy ended without words: ${stderr}`);
    found.forEach((at) => refused.add(at));
  }
}

/** The argument list as HAProxy's keywords see it: an empty word ends it. */
function argumentsOf(line: string): readonly Buffer[] {
  const words = readWords(line);
  const end = words.indexOf("");
  return (end === -1 ? words : words.slice(0, end)).map(bytes);
}

const bytes = (word: string): Buffer =>
  Buffer.concat(
    word
      .split(/([\udc80-\udcff])/)
      .map((text) =>
        /^[\udc80-\udcff]$/.test(text) ? Buffer.from([text.charCodeAt(0) & 0xff]) : Buffer.from(text),
      ),
  );

const binaries = new Map<string, string>();
beforeAll(async () => {
  for (const version of haproxyVersions) binaries.set(version, await haproxyBinary(version));
});

describe.each(haproxyVersions)("the words of HAProxy %s", (version) => {
  it("are those that we read", async () => {
    const lines = fc.sample(anyLine, 1500);
    const theirs = await haproxyWords(binaries.get(version) ?? "", lines);
    const accepted = lines.flatMap((line, at) => (theirs[at] == null ? [] : [{ line, words: theirs[at] }]));
    expect(accepted.length).toBeGreaterThan(lines.length / 4);
    const shown = (words: readonly Buffer[]): string[] => words.map((word) => word.toString("latin1"));
    expect(accepted.map(({ line }) => ({ line, words: shown(argumentsOf(line)) }))).toEqual(
      accepted.map(({ line, words }) => ({ line, words: shown(words) })),
    );
  });

  it("count an empty one", async () => {
    await using folder = await tempDir();
    const file = join(folder.path, "haproxy.cfg");
    await writeFile(file, '.notice "" x\n');
    const { stderr } = await execa(binaries.get(version) ?? "", ["-c", "-f", file], { reject: false });
    expect(stderr).toContain("Unexpected argument 'x' for '.notice'");
    expect(readWords('.notice "" x')[2]).toBe("x");
  });
});

import { execa } from "execa";

/*
 * All tests. Three rows go on beside each other, since most of their time is spent waiting for other programs; the output
 * of a row comes when it has ended. What puts load on whole stacks has the machine for itself afterwards.
 */

const ROWS = [
  ["unit", "golden", "contract"],
  ["integration", "--shard=1/2"],
  ["integration", "--shard=2/2"],
] as const;

const run = (words: readonly string[]) => [
  "run",
  ...words.flatMap((word) => (word.startsWith("--") ? [word] : ["--project", word])),
];

// Else this process would end first, and what the tests have started would stay.
process.on("SIGINT", () => undefined);

const codes: (number | undefined)[] = await Promise.all(
  ROWS.map(async (row) => {
    const { exitCode, all } = await execa("vitest", run(row), {
      preferLocal: true,
      all: true,
      reject: false,
    });
    console.log(all);
    return exitCode;
  }),
);
const last = await execa("vitest", run(["e2e"]), { preferLocal: true, stdio: "inherit", reject: false });
process.exitCode = [...codes, last.exitCode].every((code) => code === 0) ? 0 : 1;

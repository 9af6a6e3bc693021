import { execa } from "execa";

/*
 * All tests, in two rows that go on beside each other: most of their time is spent waiting for other programs. Those that
 * need the Docker engine are in the second row, whose output comes when it has ended.
 */

const ROWS = [
  ["unit", "golden", "integration"],
  ["contract", "e2e"],
] as const;

const [first, second] = ROWS.map((projects) => projects.flatMap((name) => ["--project", name]));

const shown = execa("vitest", ["run", ...(first ?? [])], {
  preferLocal: true,
  stdio: "inherit",
  reject: false,
});
const kept = execa("vitest", ["run", ...(second ?? [])], { preferLocal: true, all: true, reject: false });
// Else the first row would be cut off, and what it has started would stay.
process.on("SIGINT", () => undefined);

const [{ exitCode: codeOfFirst }, { exitCode: codeOfSecond, all }] = await Promise.all([shown, kept]);
console.log(all);
process.exitCode = codeOfFirst === 0 && codeOfSecond === 0 ? 0 : 1;

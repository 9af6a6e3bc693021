import { execa } from "execa";

/*
 * All tests. Two rows go on beside each other, since most of their time is spent waiting for other programs; the second
 * one needs the Docker engine, and its output comes when it has ended. What puts load on whole stacks has the machine
 * for itself afterwards.
 */

const run = (projects: readonly string[]) => ["run", ...projects.flatMap((name) => ["--project", name])];

const shown = { preferLocal: true, stdio: "inherit", reject: false } as const;
const kept = { preferLocal: true, all: true, reject: false } as const;

// Else this process would end first, and what the tests have started would stay.
process.on("SIGINT", () => undefined);

const [first, second] = await Promise.all([
  execa("vitest", run(["unit", "golden", "integration"]), shown),
  execa("vitest", run(["contract"]), kept),
]);
console.log(second.all);
const third = await execa("vitest", run(["e2e"]), shown);
process.exitCode = [first, second, third].every(({ exitCode }) => exitCode === 0) ? 0 : 1;

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { commandLine, findProcesses } from "../../scripts/lab/processes.ts";
import { eventually } from "../support/eventually.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DEMO = [process.execPath, `${ROOT}scripts/demo.ts`] as const;
/** From a signal to the end. */
const END_MS = 2000;

interface Demo {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  output(): string;
  /** The demo's own folder. */
  dir(): string;
  /** Resolves when this has been printed. */
  printed(text: string): Promise<void>;
  /** Command lines of processes that belong to this demo, itself left out. */
  processes(): string[];
}

const started: Demo[] = [];

function start(command: readonly [string, ...string[]]): Demo {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const exited = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const dir = (): string => /^(\/\S+rc-demo-\w+)\.$/m.exec(text)?.[1] ?? "";
  const demo: Demo = {
    child,
    exited,
    output: () => text,
    dir,
    printed: (wanted) =>
      eventually(
        () => {
          if (!text.includes(wanted)) throw new Error(`not printed: ${wanted}; but:\n${text}`);
        },
        { timeoutMs: 90_000 },
      ),
    processes: () => {
      const marks = [dir(), /--name (demo-\w+)/.exec(text)?.[1] ?? dir()];
      const isOurs = (pid: number): boolean => marks.some((mark) => commandLine(pid).includes(mark));
      return findProcesses((pid) => pid !== child.pid && isOurs(pid)).map(commandLine);
    },
  };
  started.push(demo);
  return demo;
}

afterEach(() => {
  for (const { child } of started.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
});

async function expectNothingLeft(demo: Demo): Promise<void> {
  expect(demo.dir()).not.toBe("");
  await eventually(
    () => {
      expect(demo.processes()).toEqual([]);
      expect(existsSync(demo.dir())).toBe(false);
    },
    { timeoutMs: END_MS },
  );
}

describe("the demo", () => {
  it("shows every step, exits with 0 and leaves nothing behind (npm run demo -- --once)", async () => {
    const demo = start(["npm", "run", "demo", "--", "--once"]);
    expect(await demo.exited, demo.output()).toBe(0);
    const text = demo.output();
    for (const wanted of [
      /\$ etcdctl put \/app\/servers\/web1 127\.0\.0\.1:\d+\n/,
      /\$ bin\/rollcall run --config \S+\n/,
      /all 3 have answered after [\d.]+ m?s\n/,
      / web1 {2}#{10} 10\n {3}web2 {2}#{10} 10\n {3}web3 {2}#{10} 10\n/,
      /\$ etcdctl del \/app\/servers\/web2\n/,
      / web1 {2}#{15} 15\n {3}web3 {2}#{15} 15\n/,
      /\$ etcdctl put \/app\/servers\/web4 127\.0\.0\.1:\d+\n/,
      /put web4 -> its first answer +[\d.]+ m?s\n/,
      /del web2 -> its last answer +[\d.]+ m?s\n/,
      /none failed\n/,
      /Every step was seen to work\.\n/,
      /http:\/\/127\.0\.0\.1:\d+\/haproxy-stats /,
    ])
      expect(text).toMatch(wanted);
    // A pipe gets plain text: no control characters but line feeds.
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    await expectNothingLeft(demo);
  });

  it("runs twice on one machine at the same time", async () => {
    const demos = [start([...DEMO, "--once"]), start([...DEMO, "--once"])];
    for (const demo of demos) expect(await demo.exited, demo.output()).toBe(0);
    for (const demo of demos) await expectNothingLeft(demo);
    expect(new Set(demos.map((demo) => demo.dir())).size).toBe(2);
  });

  it.each(["What it needs", "web server web1", "haproxy -W", "etcdctl put", "Adding one"])(
    "ends within two seconds and leaves nothing behind when it is interrupted after: %s",
    async (moment) => {
      const demo = start(DEMO);
      await demo.printed(moment);
      const interruptedAt = performance.now();
      demo.child.kill("SIGINT");
      expect(await demo.exited).toBe(130);
      expect(performance.now() - interruptedAt).toBeLessThan(END_MS);
      await expectNothingLeft(demo);
    },
  );

  it("stays up when all is shown, until Ctrl-C", async () => {
    const demo = start(DEMO);
    await demo.printed("Ctrl-C ends it all.");
    const url = /(http:\S+)\/haproxy-stats/.exec(demo.output())?.[1] ?? "";
    expect((await fetch(url)).status).toBe(200);
    demo.child.kill("SIGINT");
    expect(await demo.exited).toBe(0);
    await expectNothingLeft(demo);
  });

  it("leaves no process behind when it is killed", async () => {
    const demo = start(DEMO);
    await demo.printed("Taking one away");
    expect(demo.processes().length).toBeGreaterThan(2);
    demo.child.kill("SIGKILL");
    expect(await demo.exited).toBe("SIGKILL");
    await expectNothingLeft(demo);
  });

  it("ends when npm is killed", async () => {
    const demo = start(["npm", "run", "demo"]);
    await demo.printed("Taking one away");
    demo.child.kill("SIGKILL");
    await expectNothingLeft(demo);
  });

  it("tells what it does, and refuses what it does not know", async () => {
    const help = start([...DEMO, "--help"]);
    expect(await help.exited).toBe(0);
    expect(help.output()).toContain("--once");
    const wrong = start([...DEMO, "--onse"]);
    expect(await wrong.exited).toBe(64);
    expect(wrong.output()).toContain("--onse");
  });
});

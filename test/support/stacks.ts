import { afterAll, beforeAll } from "vitest";
import { type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { type Stack, type StackOptions, startStack } from "./stack.ts";

/** One stack for each HAProxy branch, for tests that run at the same time. */
export interface Stacks extends AsyncDisposable {
  of(version: HaproxyVersion): Stack;
}

/** Starts them one after the other: each takes its port from the environment of this process. */
export async function startStacks(
  options: Omit<StackOptions, "version"> | ((version: HaproxyVersion) => Omit<StackOptions, "version">),
): Promise<Stacks> {
  await using cleanup = new AsyncDisposableStack();
  const stacks = new Map<HaproxyVersion, Stack>();
  for (const version of haproxyVersions) {
    const given = typeof options === "function" ? options(version) : options;
    stacks.set(version, cleanup.use(await startStack({ ...given, version })));
  }
  const owned = cleanup.move();
  return {
    of: (version) => {
      const stack = stacks.get(version);
      if (stack === undefined) throw new Error(`no stack of ${version}`);
      return stack;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Kills the daemon and starts it again at once, with the port of its own stack. */
export async function restartDaemon({ daemon, url }: Stack): Promise<void> {
  if (daemon.alive) await daemon.kill("SIGKILL");
  process.env["HAPROXY_BIND"] = new URL(url).host;
  await daemon.restart();
}

/** The same for all tests of the suite in which this is called; the function tells the stack of a branch. */
export function stacksOfSuite(
  options: Parameters<typeof startStacks>[0] = {},
): (version: HaproxyVersion) => Stack {
  let stacks: Stacks | undefined;
  beforeAll(async () => {
    stacks = await startStacks(options);
  });
  afterAll(() => stacks?.[Symbol.asyncDispose]());
  return (version) => {
    if (stacks === undefined) throw new Error("the stacks did not start");
    return stacks.of(version);
  };
}

/** What the daemon says about its reloads, and about what it did not expect; for the messages of tests that fail. */
export function troubleOf({ daemon }: Stack): string {
  const told = daemon
    .log()
    .filter(({ way, level }) => way === "reload" || level === "warn" || level === "error")
    .map(({ time, msg, reasons, reason, difference }) =>
      JSON.stringify({ time, msg, reasons, reason, difference }),
    );
  return told.slice(-10).join("\n");
}

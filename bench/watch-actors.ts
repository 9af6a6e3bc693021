import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../scripts/lab/child.ts";
import { etcdBinaries } from "../scripts/lab/etcd.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { type Actor, actorOf, type ActorOptions } from "./actors.ts";

export const SHELL_LOOP = "shell loop with socat";
const KEPT_LOOP = "shell loop, one socat";
const NAIVE = "etcdctl watch, SIGHUP";
const BACKEND = "webserver";

/** A shell loop that turns each change into one line for the runtime socket, by a socat for each change. */
export const shellActor = (given: ActorOptions): Promise<Actor> =>
  loopActor({ ...given, who: SHELL_LOOP, how: "each" });

/** The same with one socat for all changes. */
export const keptShellActor = (given: ActorOptions): Promise<Actor> =>
  loopActor({ ...given, who: KEPT_LOOP, how: "kept" });

function loopActor(given: ActorOptions & { who: string; how: "each" | "kept" }): Promise<Actor> {
  const prefix = `/${given.how}/servers/`;
  const script = join(import.meta.dirname, "runtime-loop.sh");
  return watchActor({
    ...given,
    prefix,
    command: ({ haproxy }) => ["sh", script, given.how, prefix, BACKEND, haproxy.statsSocket],
  });
}

/** `etcdctl watch` runs a script at each change, which reads all keys, writes the file and sends SIGHUP. */
export function naiveActor(given: ActorOptions): Promise<Actor> {
  const prefix = "/naive/servers/";
  const script = join(import.meta.dirname, "rewrite.sh");
  return watchActor({
    ...given,
    who: NAIVE,
    prefix,
    command: ({ dir, configFile, haproxy }) => {
      const head = join(dir, "head.cfg");
      copyFileSync(configFile, head);
      const run = ["sh", script, prefix, head, configFile, String(haproxy.master)];
      return ["etcdctl", "watch", "--prefix", prefix, "--", ...run];
    },
  });
}

/** One that is a program beside an HAProxy, with `etcdctl` in its PATH. */
async function watchActor(
  given: ActorOptions & {
    who: string;
    prefix: string;
    command: (stack: Stack) => readonly [string, ...string[]];
  },
): Promise<Actor> {
  await using cleanup = new AsyncDisposableStack();
  const stack = cleanup.use(await startStack({ ...given, daemon: false }));
  const { etcdctl } = await etcdBinaries();
  const path = `${join(etcdctl, "..")}:${process.env["PATH"]}`;
  const child = new Child({
    command: given.command(stack),
    env: { ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: given.etcd.endpoint, PATH: path },
    logFile: join(stack.dir, "actor.log"),
  });
  cleanup.defer(() => child.kill());
  const owned = cleanup.move();
  return { ...actorOf({ ...given, stack }), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

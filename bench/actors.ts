import { readFileSync, writeFileSync } from "node:fs";
import type { HaproxyVersion } from "../scripts/lab/haproxy.ts";
import type { EtcdServer } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";

/** Somebody who makes HAProxy follow a list of servers. Each has an HAProxy of its own. */
export interface Actor extends AsyncDisposable {
  readonly who: string;
  readonly url: string;
  /** @param value `HOST:PORT`, perhaps with ` weight=N`. Those of etcd go over one connection that is kept open. */
  put(name: string, value: string): Promise<unknown>;
  del(name: string): Promise<unknown>;
  /** Sends one line to the stats socket of its HAProxy. */
  show(line: string): Promise<string>;
}

export interface ActorOptions {
  readonly version: HaproxyVersion;
  readonly etcd: EtcdServer;
}

export const ROLLCALL = "Rollcall";
const BY_HAND = "write file, SIGHUP";

export async function rollcallActor(given: ActorOptions): Promise<Actor> {
  const stack = await startStack({ ...given, options: { "log-level": "info" } });
  await untilReady(stack);
  return actorOf({ who: ROLLCALL, stack, ...given, prefix: "/app/servers/" });
}

/** The least that can be done: no etcd, the file is written and HAProxy signalled. What remains is HAProxy's own time. */
export async function handActor(given: ActorOptions): Promise<Actor> {
  const stack = await startStack({ ...given, daemon: false });
  const head = readFileSync(stack.configFile, "utf8");
  const servers = new Map<string, string>();
  const apply = (): Promise<void> => {
    const lines = [...servers].map(
      ([name, address]) => `    server ${name} ${address} check inter 2000 rise 2 fall 5\n`,
    );
    writeFileSync(stack.configFile, head + lines.join(""));
    stack.haproxy.signal("SIGHUP");
    return Promise.resolve();
  };
  return {
    ...actorOf({ who: BY_HAND, stack, ...given, prefix: "" }),
    put: (name, address) => {
      servers.set(name, address);
      return apply();
    },
    del: (name) => {
      servers.delete(name);
      return apply();
    },
  };
}

/** One whose servers are keys below `prefix`. */
export function actorOf(given: { who: string; stack: Stack; etcd: EtcdServer; prefix: string }): Actor {
  const { who, stack, etcd, prefix } = given;
  return {
    who,
    url: stack.url,
    put: (name, value) => etcd.put(prefix + name, value),
    del: (name) => etcd.del(prefix + name),
    show: (line) => stack.haproxy.show(line),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

export async function untilReady(stack: Pick<Stack, "daemon">): Promise<void> {
  await eventually(
    async () => {
      const { code, text } = await stack.daemon.get("/readyz");
      if (code !== 200) throw new Error(text);
    },
    { timeoutMs: 60_000 },
  );
}

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../scripts/lab/child.ts";
import { etcdBinaries } from "../scripts/lab/etcd.ts";
import type { HaproxyVersion } from "../scripts/lab/haproxy.ts";
import type { EtcdServer } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";

/** Somebody who makes HAProxy follow a list of servers. Each has an HAProxy of its own. */
export interface Actor extends AsyncDisposable {
  readonly who: string;
  readonly url: string;
  put(name: string, address: string): Promise<unknown>;
  del(name: string): Promise<unknown>;
}

export interface ActorOptions {
  readonly version: HaproxyVersion;
  readonly etcd: EtcdServer;
}

export const ROLLCALL = "Rollcall";
export const NAIVE = "etcdctl watch, SIGHUP";
export const BY_HAND = "write file, SIGHUP";

const QUIET = { "log-level": "info" };

export async function rollcallActor(given: ActorOptions): Promise<Actor> {
  const stack = await startStack({ ...given, options: QUIET });
  await untilReady(stack);
  const { etcd } = given;
  return {
    who: ROLLCALL,
    url: stack.url,
    put: (name, address) => etcd.put(`/app/servers/${name}`, address),
    del: (name) => etcd.del(`/app/servers/${name}`),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** `etcdctl watch` runs a script at each change, which reads all keys, writes the file and sends SIGHUP. */
export async function naiveActor(given: ActorOptions): Promise<Actor> {
  const { etcd } = given;
  await using cleanup = new AsyncDisposableStack();
  const stack = cleanup.use(await startStack({ ...given, daemon: false }));
  const prefix = "/naive/servers/";
  const head = join(stack.dir, "head.cfg");
  copyFileSync(stack.configFile, head);
  const script = ["sh", join(import.meta.dirname, "rewrite.sh"), prefix, head, stack.configFile];
  const { etcdctl } = await etcdBinaries();
  const path = `${join(etcdctl, "..")}:${process.env["PATH"]}`;
  const watch = new Child({
    command: [etcdctl, "watch", "--prefix", prefix, "--", ...script, String(stack.haproxy.master)],
    env: { ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.endpoint, PATH: path },
    logFile: join(stack.dir, "naive.log"),
  });
  cleanup.defer(() => watch.kill());
  const owned = cleanup.move();
  return {
    who: NAIVE,
    url: stack.url,
    put: (name, address) => etcd.put(prefix + name, address),
    del: (name) => etcd.del(prefix + name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
    who: BY_HAND,
    url: stack.url,
    put: (name, address) => {
      servers.set(name, address);
      return apply();
    },
    del: (name) => {
      servers.delete(name);
      return apply();
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

export async function untilReady(stack: Stack): Promise<void> {
  await eventually(
    async () => {
      const { code, text } = await stack.daemon.get("/readyz");
      if (code !== 200) throw new Error(text);
    },
    { timeoutMs: 60_000 },
  );
}

import { writeFileSync } from "node:fs";
import { execa } from "execa";
import { haproxyBinary, type HaproxyVersion } from "../scripts/lab/haproxy.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";

export const BARE = "haproxy -c, SIGHUP";

/** Milliseconds that HAProxy itself takes. */
export interface BareTimes {
  /** `haproxy -c`. */
  readonly check: number;
  /** From SIGHUP until another worker answers. */
  readonly reload: number;
}

export interface BareHaproxy extends AsyncDisposable {
  measure(): Promise<BareTimes>;
}

/** Another HAProxy with the configuration that a stack runs now, apart from port and socket. */
export async function bareHaproxy(like: Stack, version: HaproxyVersion): Promise<BareHaproxy> {
  const stack = await startStack({ version, etcd: like.etcd, daemon: false });
  const host = (one: Stack): string => new URL(one.url).host;
  const text = like.config().replaceAll(like.dir, stack.dir).replaceAll(host(like), host(stack));
  writeFileSync(stack.configFile, text);
  const binary = await haproxyBinary(version);
  return {
    async measure() {
      const startedAt = performance.now();
      await execa(binary, ["-c", "-f", stack.configFile]);
      return { check: performance.now() - startedAt, reload: await reload(stack) };
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function reload({ haproxy }: Stack): Promise<number> {
  const before = await haproxy.workerPid();
  const startedAt = performance.now();
  haproxy.signal("SIGHUP");
  await eventually(
    async () => {
      if ((await haproxy.workerPid()) === before) throw new Error("the old worker still answers");
    },
    { timeoutMs: 60_000, everyMs: 5 },
  );
  return performance.now() - startedAt;
}

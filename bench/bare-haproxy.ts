import { readFileSync, writeFileSync } from "node:fs";
import { execa } from "execa";
import { haproxyBinary, type HaproxyVersion } from "../scripts/lab/haproxy.ts";
import { eventually } from "../test/support/eventually.ts";
import { type Stack, startStack } from "../test/support/stack.ts";

export const BARE = "HAProxy alone";

/** Milliseconds that HAProxy itself takes. */
export interface BareTimes {
  /** `haproxy -c`. */
  readonly check: number;
  /** From SIGHUP until another worker answers. */
  readonly reload: number;
  /** One line over the socket that adds a server and turns it on. */
  readonly runtime: number;
}

export interface BareHaproxy extends AsyncDisposable {
  readonly stack: Stack;
  /** Replaces its configuration and does not tell it. */
  write(text: string): void;
  check(): Promise<number>;
  reload(): Promise<number>;
  measure(): Promise<BareTimes>;
}

/** An HAProxy that nobody cares for, with an empty backend. */
export async function bareHaproxy(version: HaproxyVersion): Promise<BareHaproxy> {
  const stack = await startStack({ version, daemon: false });
  const binary = await haproxyBinary(version);
  const check = (): Promise<number> => timed(() => execa(binary, ["-c", "-f", stack.configFile]));
  return {
    stack,
    write: (text) => writeFileSync(stack.configFile, text),
    check,
    reload: () => reload(stack),
    measure: async () => ({
      check: await check(),
      reload: await reload(stack),
      runtime: await runtime(stack),
    }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** What has a folder for its sockets and a frontend. */
type Place = Pick<Stack, "dir" | "url">;

/** The configuration of one HAProxy for another one, with that one's port and sockets. */
export function configFor(other: Place, from: Place & Pick<Stack, "configFile">): string {
  const host = ({ url }: Place): string => new URL(url).host;
  const text = readFileSync(from.configFile, "utf8");
  return text.replaceAll(`${from.dir}/`, `${other.dir}/`).replaceAll(host(from), host(other));
}

async function reload({ haproxy }: Stack): Promise<number> {
  const before = await haproxy.workerPid();
  return timed(async () => {
    haproxy.signal("SIGHUP");
    await eventually(
      async () => {
        if ((await haproxy.workerPid()) === before) throw new Error("the old worker still answers");
      },
      { timeoutMs: 60_000, everyMs: 5 },
    );
  });
}

async function runtime({ haproxy }: Stack): Promise<number> {
  const server = "webserver/bare";
  const add = `add server ${server} 127.0.0.1:9 weight 0;enable server ${server}`;
  const ms = await timed(() => haproxy.show(add));
  await haproxy.show(`set server ${server} state maint;del server ${server}`);
  return ms;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etcdBinaries } from "../../scripts/lab/etcd.ts";
import type { Write } from "../../src/core/store-write.ts";
import { commit } from "../../src/etcd/commit.ts";
import { deniedKeys } from "../../src/etcd/denied-key.ts";
import { prefixRange } from "../../src/etcd/list.ts";
import type { EtcdAccess } from "../../src/etcd/access.ts";
import { isDenied } from "../../src/etcd/trouble.ts";
import { type EtcdServer, startEtcd } from "../support/etcd-server.ts";
import { openSession } from "../support/etcd-session.ts";
import { eventually as eventuallyWithin } from "../support/eventually.ts";
import { followEtcd } from "../support/follow-etcd.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";
import { publication, startRegistrar } from "../support/test-registrar.ts";

/** The commands of the reference, as they stand there. */
const commands = [
  ...section("docs/reference/etcd.md", "Users and roles").matchAll(/^```sh\n([^]*?)^```$/gm),
].map(([, text = ""]) => text);

function section(file: string, title: string): string {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  return text.split(/^## /m).find((one) => one.startsWith(`${title}\n`)) ?? "";
}

let etcd: EtcdServer;
let dir: TempDir;
beforeAll(async () => {
  [etcd, dir] = [await startEtcd(), await tempDir()];
  for (const user of ["rollcall", "rollcall-agent", "rollcall-operator", "root"]) {
    await writeFile(join(dir.path, `${user}-password`), `secret-of-${user}\n`);
  }
  const path = `${dirname((await etcdBinaries("3.5")).etcdctl)}:${process.env["PATH"] ?? ""}`;
  const env = { PATH: path, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.endpoint };
  expect(commands).toHaveLength(4);
  for (const text of commands) await execa("sh", ["-e", "-c", text], { cwd: dir.path, env });
});
afterAll(async () => {
  for (const part of [etcd, dir]) await part?.[Symbol.asyncDispose]();
});

/** Commands are slow on a busy machine. */
const eventually = <T>(attempt: () => T | Promise<T>): Promise<T> =>
  eventuallyWithin(attempt, { timeoutMs: 30_000 });
const root = (...args: readonly string[]): Promise<string> =>
  etcd.ctl("--user", "root:secret-of-root", ...args);
const access = (username: string): EtcdAccess => ({
  endpoints: [`http://${etcd.endpoint}`],
  username,
  passwordFile: join(dir.path, `${username}-password`),
});
/** Keys where nobody but the operator, or nobody at all, may write. */
const ELSEWHERE = ["/app/overrides/web1", "/app/serversx", "/app/", "/app/config/x", "/other"];
const put = (key: string): Write => ({ kind: "put", key, value: "10.0.0.1:80", lease: "0" });

/** Those of `keys` that `user` may read, and those that he may write, by trying. */
async function granted(user: string, keys: readonly string[]): Promise<Record<"read" | "write", string[]>> {
  using session = await openSession(access(user));
  const isGranted = (attempt: Promise<unknown>): Promise<boolean> =>
    attempt.then(
      () => true,
      (thrown: unknown) => {
        if (isDenied(thrown)) return false;
        throw thrown;
      },
    );
  const found = { read: [] as string[], write: [] as string[] };
  for (const key of keys) {
    const range = key.endsWith("/") ? prefixRange(key) : { key: Buffer.from(key) };
    const read = session.call(5000, (client, options) => client.range(range, options));
    if (await isGranted(read)) found.read.push(key);
    if (await isGranted(commit(session, { expects: [], writes: [put(key)] }))) found.write.push(key);
    // What stands in the errors is what etcd really does.
    const denied = await deniedKeys(session, { reads: [key], writes: [] });
    expect(denied).toHaveLength(found.read.includes(key) ? 0 : 1);
  }
  return found;
}

describe("the roles of the reference", () => {
  test("a load balancer follows servers and overrides, and writes nothing", async () => {
    await root("put", "/app/servers/web1", "10.0.0.1:80");
    await root("put", "/app/overrides/web1", "drain");
    await using follower = followEtcd(access("rollcall"));
    await eventually(() => expect(follower.names()).toEqual(["web1"]));
    await root("put", "/app/servers/web2", "10.0.0.2:80");
    await eventually(() => expect(follower.names()).toEqual(["web1", "web2"]));
    const keys = ["/app/servers/web1", "/app/servers/", "/app/owners/", ...ELSEWHERE];
    expect(await granted("rollcall", keys)).toEqual({
      read: ["/app/servers/web1", "/app/servers/", "/app/overrides/web1"],
      write: [],
    });
    await root("del", "--prefix", "/app/");
  });

  test("an agent registers and withdraws, and writes nowhere else", async () => {
    await using agent = startRegistrar({
      endpoints: [],
      options: { access: access("rollcall-agent"), leaseTtlS: 20 },
    });
    agent.want([publication("aa", "web1", "10.0.0.1:80"), publication("bb", "x1", "10.0.0.2:80", "api")]);
    const servers = () => root("get", "--prefix", "--keys-only", "/app/servers/");
    await eventually(async () => expect(await servers()).toMatch(/api\/x1\s+\/app\/servers\/web1/));
    expect(await root("get", "--prefix", "--keys-only", "/app/owners/")).toMatch(/@a\s[^]*api\/x1\s[^]*web1/);
    await agent.end();
    await eventually(async () => expect(await root("get", "--prefix", "--keys-only", "/app/")).toBe(""));
    expect(agent.registrar.status()).toMatchObject({ state: "withdrawn", counts: { breaks: 0 } });
    expect(await granted("rollcall-agent", ["/app/servers/web9", "/app/owners/", ...ELSEWHERE])).toEqual({
      read: ["/app/servers/web9", "/app/owners/"],
      write: ["/app/servers/web9", "/app/owners/"],
    });
    await root("del", "--prefix", "/app/");
  });

  test("an operator's commands work, and an agent's records are not his", async () => {
    const { username = "", passwordFile = "" } = access("rollcall-operator");
    const login = ["--etcd-username", username, "--etcd-password-file", passwordFile];
    const run = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await rollcall([
        ...args,
        ...["--etcd-endpoints", `http://${etcd.endpoint}`, ...login],
      ]);
      expect([args, code, stderr]).toEqual([args, 0, ""]);
      return stdout;
    };
    await run("add", "web1", "10.0.0.1:80");
    await run("drain", "web1");
    expect(await run("ls")).toMatch(/web1.*drain/);
    expect(await root("get", "--prefix", "--print-value-only", "/app/")).toBe("drain\n10.0.0.1:80");
    await run("rm", "web1");
    expect(await root("get", "--prefix", "--keys-only", "/app/")).toBe("");
    expect(await granted("rollcall-operator", ["/app/servers/", "/app/owners/", ...ELSEWHERE])).toEqual({
      read: ["/app/servers/", "/app/owners/", "/app/overrides/web1"],
      write: ["/app/servers/", "/app/overrides/web1"],
    });
    await root("del", "--prefix", "/app/");
  });
});

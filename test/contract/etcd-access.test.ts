import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkEtcd } from "../../src/discovery/check-etcd.ts";
import type { EtcdVersion } from "../../scripts/lab/etcd.ts";
import { startEtcd, type EtcdServer } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { followEtcd, type EtcdFollower } from "../support/follow-etcd.ts";
import { freePort } from "../support/free-port.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";
import { throwawayCa } from "../support/throwaway-ca.ts";

const untilBroken = (follower: EtcdFollower, reason: RegExp): Promise<void> =>
  eventually(() => expect(follower.breaks.join("\n")).toMatch(reason));
const until = (follower: EtcdFollower, names: readonly string[]): Promise<void> =>
  eventually(() => expect(follower.names()).toEqual(names));
const never = new AbortController().signal;

interface Guarded extends AsyncDisposable {
  readonly etcd: EtcdServer;
  readonly dir: TempDir;
  /** Path of a file with the password of the user `reader`. */
  readonly passwordFile: string;
  /** etcdctl as root. */
  root(...args: readonly string[]): Promise<string>;
}

/** An etcd with authentication, a server in it, and a user who may read the servers and nothing else. */
async function guardedEtcd(version: EtcdVersion = "3.5", flags: readonly string[] = []): Promise<Guarded> {
  const etcd = await startEtcd({ version, flags });
  const dir = await tempDir();
  const passwordFile = join(dir.path, "password");
  await writeFile(passwordFile, "p4ss word\n");
  for (const command of [
    "put /app/servers/web1 10.0.0.1:80",
    "role add readers",
    "role grant-permission readers --prefix=true read /app/servers/",
    "user add root:root",
    "user grant-role root root",
  ]) {
    await etcd.ctl(...command.split(" "));
  }
  await etcd.ctl("user", "add", "reader:p4ss word");
  await etcd.ctl("user", "grant-role", "reader", "readers");
  await etcd.ctl("auth", "enable");
  return {
    etcd,
    dir,
    passwordFile,
    root: (...args) => etcd.ctl("--user", "root:root", ...args),
    async [Symbol.asyncDispose]() {
      for (const part of [etcd, dir]) await part[Symbol.asyncDispose]();
    },
  };
}

describe.concurrent("users", () => {
  test.for(["3.4", "3.5"] as const)(
    "etcd %s: what is missing is said, and mended without a restart",
    async (version) => {
      await using guarded = await guardedEtcd(version);
      const { etcd, passwordFile, root } = guarded;
      const endpoints = [etcd.endpoint];
      await using nobody = followEtcd({ endpoints });
      await untilBroken(nobody, /: it wants a user name and a password$/);

      await writeFile(passwordFile, "wrong");
      await using reader = followEtcd({ endpoints, username: "reader", passwordFile });
      await untilBroken(reader, /: user name or password refused$/);
      await writeFile(passwordFile, "p4ss word\n");
      await untilBroken(reader, /: permission denied for \/app\/overrides\/ \(the user's role needs READ\)$/);
      expect(reader.names()).toBeNull();
      await root("role", "grant-permission", "readers", "--prefix=true", "read", "/app/overrides/");
      await until(reader, ["web1"]);
      await root("put", "/app/servers/web2", "10.0.0.2:80");
      await until(reader, ["web1", "web2"]);
    },
  );

  test("a login that expires is renewed, with and without a break of the connection", async () => {
    await using guarded = await guardedEtcd("3.5", ["--auth-token-ttl", "1"]);
    const { etcd, passwordFile, root } = guarded;
    await root("role", "grant-permission", "readers", "--prefix=true", "read", "/app/overrides/");
    await using proxy = await startTcpProxy(etcd.port);
    const user = { username: "reader", passwordFile };
    // The login is older than its second by the time of the probe.
    await using follower = followEtcd({ endpoints: [proxy.address], ...user, probeMs: 3000 });
    await until(follower, ["web1"]);
    await eventually(() => expect(follower.sizes.length).toBeGreaterThan(1));
    expect(follower.breaks).toEqual([]);
    await root("put", "/app/servers/web2", "10.0.0.2:80");
    await until(follower, ["web1", "web2"]);
    proxy.cut();
    await untilBroken(follower, /connection lost/);
    await root("put", "/app/servers/web3", "10.0.0.2:80");
    await until(follower, ["web1", "web2", "web3"]);
    expect(follower.breaks).toHaveLength(1);
  });

  test("a user is no hindrance while authentication is off", async () => {
    await using etcd = await startEtcd();
    await using dir = await tempDir();
    const passwordFile = join(dir.path, "password");
    await writeFile(passwordFile, "x");
    await etcd.put("/app/servers/web1", "10.0.0.1:80");
    await using follower = followEtcd({ endpoints: [etcd.endpoint], username: "reader", passwordFile });
    await until(follower, ["web1"]);
  });

  test("a password file that cannot be read is named", async () => {
    await using etcd = await startEtcd();
    const passwordFile = "/nowhere/password";
    await using follower = followEtcd({ endpoints: [etcd.endpoint], username: "reader", passwordFile });
    await untilBroken(follower, /the password file cannot be read: ENOENT.*\/nowhere\/password/);
  });
});

describe.concurrent("certificates", () => {
  test("both sides prove who they are; new files are taken without a restart", async () => {
    await using dir = await tempDir();
    const authority = await throwawayCa(dir.path);
    const stranger = await throwawayCa(dir.path, "stranger");
    const [server, client] = [await authority.issue("server"), await authority.issue("client")];
    const port = await freePort();
    const [plain, tls] = [await freePort(), `https://127.0.0.1:${port}`];
    const files = ["--cert-file", server.cert, "--key-file", server.key, "--trusted-ca-file", authority.ca];
    const listen = ["--listen-client-urls", `http://127.0.0.1:${plain},${tls}`];
    await using etcd = await startEtcd({ port: plain, flags: [...listen, ...files, "--client-cert-auth"] });
    await etcd.put("/app/servers/web1", "10.0.0.1:80");

    const caFile = join(dir.path, "used-ca.pem");
    await copyFile(stranger.ca, caFile);
    const [certFile, keyFile] = [client.cert, client.key];
    await using follower = followEtcd({ endpoints: [tls], caFile, certFile, keyFile });
    await untilBroken(follower, /: TLS: its certificate is not signed by an authority that we trust$/);
    await copyFile(authority.ca, caFile);
    await until(follower, ["web1"]);

    await using anonymous = followEtcd({ endpoints: [tls], caFile: authority.ca });
    await untilBroken(anonymous, /: TLS: it wants a client certificate$/);
    await using half = followEtcd({ endpoints: [tls], caFile, certFile });
    await untilBroken(half, /needs both a certificate and a key/);
    await using unencrypted = followEtcd({ endpoints: [`http://127.0.0.1:${port}`] });
    await untilBroken(unencrypted, /should the endpoint begin with https:/);
    await using mixed = followEtcd({ endpoints: [etcd.endpoint], caFile });
    await untilBroken(
      mixed,
      /there are certificates \(.*\), but the endpoint does not begin with https:\/\//,
    );
    expect([anonymous, half, unencrypted, mixed].map((one) => one.names())).toEqual([null, null, null, null]);
  });
});

describe.concurrent("checkEtcd", () => {
  test("reports each endpoint by itself", async () => {
    await using guarded = await guardedEtcd();
    const { etcd, passwordFile } = guarded;
    const good = `http://${etcd.endpoint}`;
    const gone = `http://127.0.0.1:${await freePort()}`;
    const endpoints = [good, gone, "nonsense"];
    const access = { endpoints, username: "reader", passwordFile, prefix: "/app/servers" };
    const nothing = { reachable: false, version: null, hasLeader: false, loggedIn: false, keys: null };
    const there = {
      endpoint: good,
      reachable: true,
      version: expect.stringMatching(/^3\.5/) as string,
      hasLeader: true,
    };
    expect(await checkEtcd(access, never)).toEqual([
      { ...there, loggedIn: true, keys: 1, problem: null },
      { endpoint: gone, ...nothing, problem: "connection refused" },
      {
        endpoint: "nonsense",
        ...nothing,
        problem: expect.stringContaining("is not http://HOST:PORT") as string,
      },
    ]);
    expect(await checkEtcd({ ...access, endpoints: [good], prefix: "/other/" }, never)).toEqual([
      {
        ...there,
        loggedIn: true,
        keys: null,
        problem: "permission denied for /other/ (the user's role needs READ)",
      },
    ]);
    await writeFile(passwordFile, "wrong");
    expect(await checkEtcd({ ...access, endpoints: [good] }, never)).toEqual([
      { ...there, loggedIn: false, keys: null, problem: "user name or password refused" },
    ]);
  });
});

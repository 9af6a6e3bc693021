import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkEtcd } from "../../src/discovery/check-etcd.ts";
import { etcdLogins } from "../support/etcd-logins.ts";
import { startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { followEtcd, type EtcdFollower } from "../support/follow-etcd.ts";
import { freePort } from "../support/free-port.ts";
import { guardedEtcd } from "../support/guarded-etcd.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { tempDir } from "../support/temp-dir.ts";
import { type Certificate, throwawayCa } from "../support/throwaway-ca.ts";

const untilBroken = (follower: EtcdFollower, reason: RegExp): Promise<void> =>
  eventually(() => expect(follower.breaks.join("\n")).toMatch(reason));
const until = (follower: EtcdFollower, names: readonly string[]): Promise<void> =>
  eventually(() => expect(follower.names()).toEqual(names));
const never = new AbortController().signal;

/** A user who may read the servers and nothing else. */
const USERS = { reader: ["--prefix=true read /app/servers/"] };

describe.concurrent("users", () => {
  test.for(["3.4", "3.5"] as const)(
    "etcd %s: what is missing is said, and mended without a restart",
    async (version) => {
      await using guarded = await guardedEtcd(USERS, { version });
      const { etcd, root } = guarded;
      const passwordFile = guarded.passwordFile("reader");
      await root("put", "/app/servers/web1", "10.0.0.1:80");
      const endpoints = [etcd.endpoint];
      await using nobody = followEtcd({ endpoints });
      await untilBroken(nobody, /: it wants a user name and a password$/);

      await writeFile(passwordFile, "wrong");
      await using reader = followEtcd({ endpoints, username: "reader", passwordFile });
      await untilBroken(reader, /: user name or password refused$/);
      await writeFile(passwordFile, "p4ss word\n");
      await untilBroken(reader, /: permission denied for \/app\/overrides\/ \(the user's role needs READ\)$/);
      expect(reader.names()).toBeNull();
      await root("role", "grant-permission", "reader", "--prefix=true", "read", "/app/overrides/");
      await until(reader, ["web1"]);
      await root("put", "/app/servers/web2", "10.0.0.2:80");
      await until(reader, ["web1", "web2"]);
    },
  );

  test("a login that expires is renewed in passing, and after a break of the connection", async () => {
    const reader = [...USERS.reader, "--prefix=true read /app/overrides/"];
    await using guarded = await guardedEtcd({ reader }, { flags: ["--auth-token-ttl", "2"] });
    const { etcd, root } = guarded;
    await root("put", "/app/servers/web1", "10.0.0.1:80");
    await using proxy = await startTcpProxy(etcd.port);
    const access = { ...guarded.access("reader"), endpoints: [proxy.address] };
    // The login is older than its two seconds by the time of each probe.
    await using follower = followEtcd({ ...access, probeMs: 4000 });
    await until(follower, ["web1"]);
    const logins = await etcdLogins(etcd);
    const isRenewed = async (): Promise<void> => expect(await etcdLogins(etcd)).toBeGreaterThan(logins + 1);
    await eventually(isRenewed, { timeoutMs: 30_000 });
    // Nothing was read again for that, and the watch lives on.
    expect([follower.sizes, follower.breaks]).toEqual([[1], []]);
    await root("put", "/app/servers/web2", "10.0.0.2:80");
    await until(follower, ["web1", "web2"]);
    expect(follower.breaks).toEqual([]);
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

    const used = { certFile: join(dir.path, "used.pem"), keyFile: join(dir.path, "used.key") };
    const use = ({ cert, key }: Certificate) => [copyFile(key, used.keyFile), copyFile(cert, used.certFile)];
    await Promise.all(use(await stranger.issue("client")));
    await using renewed = followEtcd({ endpoints: [tls], caFile: authority.ca, ...used });
    await untilBroken(renewed, /: TLS: our client certificate was refused$/);
    await Promise.all(use(client));
    await until(renewed, ["web1"]);

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
    await using guarded = await guardedEtcd(USERS);
    const { etcd, root } = guarded;
    const passwordFile = guarded.passwordFile("reader");
    await root("put", "/app/servers/web1", "10.0.0.1:80");
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

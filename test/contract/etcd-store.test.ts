import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Write } from "../../src/core/store-write.ts";
import { commit } from "../../src/etcd/commit.ts";
import { deniedKeys, namingDenied } from "../../src/etcd/denied-key.ts";
import { prefixRange } from "../../src/etcd/list.ts";
import type { EtcdSession } from "../../src/etcd/session.ts";
import { etcdTrouble, isLeaseGone, isNoSpace, isTooMany } from "../../src/etcd/trouble.ts";
import { etcdLogins } from "../support/etcd-logins.ts";
import { startEtcd, type EtcdServer } from "../support/etcd-server.ts";
import { openSession } from "../support/etcd-session.ts";
import { eventually } from "../support/eventually.ts";
import { guardedEtcd } from "../support/guarded-etcd.ts";
import { tempDir } from "../support/temp-dir.ts";

const put = (key: string, value = "1", lease = "0"): Write => ({ kind: "put", key, value, lease });
const remove = (key: string): Write => ({ kind: "delete", key });
const written = (key: string, modRevision: string) => ({ key, modRevision });
const absent = (key: string) => written(key, "0");
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
const grant = async (session: EtcdSession, ttl: number): Promise<string> =>
  (await session.call(5000, (client, options) => client.leaseGrant(ttl, options))).ID;
const count = (session: EtcdSession): Promise<string> =>
  session.call(5000, async (client, options) => {
    const { count: keys } = await client.range({ ...prefixRange("/app/"), count_only: true }, options);
    return keys;
  });

describe.concurrent.each(["3.4", "3.5"] as const)("etcd %s", (version) => {
  let etcd: EtcdServer;
  let session: EtcdSession;
  beforeAll(async () => {
    etcd = await startEtcd({ version });
    session = await openSession({ endpoints: [`http://${etcd.endpoint}`] });
  });
  afterAll(async () => {
    session[Symbol.dispose]();
    await etcd[Symbol.asyncDispose]();
  });

  test("a commit writes when all is as expected, and else nothing at all", async () => {
    const [a, b] = ["/c/a", "/c/b"];
    const first = await commit(session, { expects: [absent(a), absent(b)], writes: [put(a), put(b)] });
    expect(await etcd.list("/c/")).toEqual({ [a]: "1", [b]: "1" });
    if (first === null) throw new Error("not written");
    expect(await commit(session, { expects: [absent(a)], writes: [put(a, "2")] })).toBeNull();
    const second = await commit(session, { expects: [written(a, first)], writes: [put(a, "2")] });
    expect(Number(second)).toBeGreaterThan(Number(first));
    // One of two is not as expected: it was written since, or it never was.
    for (const wrong of [written(a, first), absent(b), written("/c/none", first)]) {
      const expects = [written(b, first), wrong];
      expect(await commit(session, { expects, writes: [put(b, "3"), remove(a)] })).toBeNull();
    }
    expect(await etcd.list("/c/")).toEqual({ [a]: "2", [b]: "1" });
    // Removed and put back is not the same.
    await etcd.del(b);
    await etcd.put(b, "1");
    expect(await commit(session, { expects: [written(b, first)], writes: [remove(b)] })).toBeNull();
    expect(
      await commit(session, { expects: [written(a, second ?? "")], writes: [remove(a)] }),
    ).not.toBeNull();
    expect(await etcd.list("/c/")).toEqual({ [b]: "1" });
  });

  test("a lease is granted, refreshed and ended, by us or by its time", async () => {
    const lease = await grant(session, 4);
    await commit(session, { expects: [], writes: [put("/l/a", "1", lease), put("/l/b", "1", lease)] });
    const { kvs } = await session.client.range(prefixRange("/l/"), session.options(5000));
    expect(kvs.map((kv) => kv.lease)).toEqual([lease, lease]);
    const since = performance.now();
    await eventually(
      async () => {
        expect(Number((await session.client.leaseKeepAlive(lease, session.options(5000))).TTL)).toBe(4);
        expect(performance.now() - since).toBeGreaterThan(6000);
      },
      { everyMs: 200, timeoutMs: 20_000 },
    );
    expect(Object.keys(await etcd.list("/l/"))).toHaveLength(2);
    await session.client.leaseRevoke(lease, session.options(5000));
    expect(await etcd.list("/l/")).toEqual({});

    const short = await grant(session, 1);
    await commit(session, { expects: [], writes: [put("/l/a", "1", short)] });
    await eventually(async () => expect(await etcd.list("/l/")).toEqual({}));
    const answer = await session.client.leaseKeepAlive(short, session.options(5000));
    expect(Number(answer.TTL)).toBeLessThanOrEqual(0);
    const refused = await Promise.all([
      rejection(commit(session, { expects: [], writes: [put("/l/a", "1", short)] })),
      rejection(session.client.leaseRevoke(short, session.options(5000))),
    ]);
    for (const thrown of refused) {
      expect([isLeaseGone(thrown), etcdTrouble(thrown)]).toEqual([true, "the lease has ended"]);
    }
  });

  test("what is too much for this etcd is told from what is wrong", async () => {
    await using small = await startEtcd({
      version,
      flags: ["--max-txn-ops", "8", "--max-request-bytes", "20000"],
    });
    using opened = await openSession({ endpoints: [`http://${small.endpoint}`] });
    const puts = Array.from({ length: 9 }, (_, n) => put(`/s/${n}`));
    await commit(opened, { expects: [], writes: puts.slice(1) });
    const tooMany = [
      { expects: [], writes: puts },
      { expects: puts.map(({ key }) => absent(key)), writes: [] },
      { expects: [], writes: [put("/s/a", "x".repeat(30_000))] },
      { expects: [], writes: [put("/s/a", "x".repeat(3_000_000))] },
    ];
    for (const one of tooMany) expect(isTooMany(await rejection(commit(opened, one)))).toBe(true);
    const twice = await rejection(commit(opened, { expects: [], writes: [put("/s/1"), remove("/s/1")] }));
    expect(isTooMany(twice)).toBe(false);
    expect(etcdTrouble(twice)).toMatch(/a key was to be written twice/);
    expect(Object.keys(await small.list("/s/"))).toHaveLength(8);
  });

  test("a full etcd still deletes and refreshes, and says what to do", async () => {
    await using small = await startEtcd({ version, flags: ["--quota-backend-bytes", "200000"] });
    using opened = await openSession({ endpoints: [`http://${small.endpoint}`] });
    const lease = await grant(opened, 60);
    await small.put("/app/a", "1");
    // It must be a put of one key after the other: a transaction that is too large is refused without an alarm.
    const fill = async (n: number): Promise<unknown> => {
      const thrown = await rejection(small.put(`/fill/${n}`, "x".repeat(50_000)));
      return thrown ?? fill(n + 1);
    };
    expect(String(await fill(0))).toMatch(/space exceeded/);
    const writing = { expects: [], writes: [put("/app/b")] };
    const refused = await Promise.all([rejection(commit(opened, writing)), rejection(grant(opened, 60))]);
    for (const thrown of refused) {
      expect(isNoSpace(thrown)).toBe(true);
      expect(etcdTrouble(thrown)).toMatch(/^it is out of space .*etcdctl alarm disarm$/);
    }
    expect((await opened.client.leaseKeepAlive(lease, opened.options(5000))).TTL).toBe("60");
    expect(await deniedKeys(opened, { reads: [], writes: ["/app/"] })).toEqual([]);
    expect(await commit(opened, { expects: [], writes: [remove("/app/a")] })).not.toBeNull();
  });

  test("a denied key is named, without writing a thing", async () => {
    const agent = ["--prefix=true readwrite /app/own/", "--prefix=true read /app/others/"];
    await using guarded = await guardedEtcd({ agent }, { version });
    using opened = await openSession(guarded.access("agent"));
    await commit(opened, { expects: [], writes: [put("/app/own/a"), put("/app/own/")] });
    const before = await guarded.root("get", "--prefix", "-w", "fields", "/");
    const wanted = { reads: ["/app/", "/app/own/", "/app/others/"], writes: ["/app/own/", "/app/others/"] };
    const named = [
      "user agent may not read /app/ (etcdctl role grant-permission ROLE --prefix=true read /app/)",
      "user agent may not write /app/others/ (etcdctl role grant-permission ROLE --prefix=true readwrite /app/others/)",
    ];
    expect(await deniedKeys(opened, wanted)).toEqual(named);
    const writes = [put("/app/own/b"), put("/app/others/b")];
    const use = () => commit(opened, { expects: [], writes });
    await expect(namingDenied(opened, wanted, use)).rejects.toThrow(named.join("; "));
    expect(
      await deniedKeys(opened, { reads: [], writes: ["/app/own/a", "/app/own/none", "/other"] }),
    ).toEqual(["user agent may not write /other (etcdctl role grant-permission ROLE readwrite /other)"]);
    const after = await guarded.root("get", "--prefix", "-w", "fields", "/");
    const keys = (text: string): string => text.replaceAll(/"(?:MemberID|RaftTerm)".*\n/g, "");
    expect(keys(after)).toBe(keys(before));
  });
});

describe.concurrent("a login", () => {
  test("that went stale is renewed once for all calls that it fails", async () => {
    const agent = ["--prefix=true readwrite /app/"];
    await using guarded = await guardedEtcd({ agent }, { flags: ["--auth-token-ttl", "2"] });
    using session = await openSession(guarded.access("agent"));
    const { token } = session.options(0);
    // Asked without `call`, which would renew it.
    await eventually(
      async () => {
        const options = { ...session.options(5000), token };
        const thrown = await rejection(session.client.range(prefixRange("/app/"), options));
        expect(etcdTrouble(thrown)).toBe("the login is no longer valid");
      },
      { everyMs: 4000, timeoutMs: 30_000 }, // Each use of a token gives it its two seconds anew.
    );
    const logins = await etcdLogins(guarded.etcd);
    // One takes so long that the others have renewed the login when it hears that its token is stale.
    const renewed = Promise.withResolvers<void>();
    const late = session.call(5000, async (client, options) => {
      if (options.token === token) await renewed.promise;
      return client.range(prefixRange("/app/"), options);
    });
    const writes = Array.from({ length: 10 }, (_, n) =>
      commit(session, { expects: [absent(`/app/${n}`)], writes: [put(`/app/${n}`)] }),
    );
    expect(await Promise.all(writes)).not.toContain(null);
    renewed.resolve();
    expect((await late).count).toBe("10");
    expect([await etcdLogins(guarded.etcd), await count(session)]).toEqual([logins + 1, "10"]);
    expect(session.options(0).token).not.toBe(token);
  });

  test("of signed tokens outlives a change of the roles", async () => {
    await using dir = await tempDir();
    const [key, pub] = [join(dir.path, "key"), join(dir.path, "pub")];
    await execa("openssl", ["genrsa", "-out", key, "2048"]);
    await execa("openssl", ["rsa", "-in", key, "-pubout", "-out", pub]);
    const token = `jwt,pub-key=${pub},priv-key=${key},sign-method=RS256,ttl=10m`;
    const agent = ["--prefix=true readwrite /app/"];
    await using guarded = await guardedEtcd({ agent }, { flags: ["--auth-token", token] });
    using session = await openSession(guarded.access("agent"));
    await guarded.root("role", "grant-permission", "agent", "read", "/other");
    const thrown = await rejection(session.client.range(prefixRange("/app/"), session.options(5000)));
    expect(etcdTrouble(thrown)).toBe("the login is no longer valid");
    expect(await count(session)).toBe("0");
  });

  test("is made when etcd begins to ask for it, and refused when the password is wrong", async () => {
    await using guarded = await guardedEtcd({ agent: ["--prefix=true read /app/"] });
    await guarded.root("auth", "disable");
    using session = await openSession(guarded.access("agent"));
    using nobody = await openSession({ endpoints: guarded.access("agent").endpoints });
    expect(await count(session)).toBe("0");
    await guarded.root("auth", "enable");
    expect(await count(session)).toBe("0");
    expect(etcdTrouble(await rejection(count(nobody)))).toBe("it wants a user name and a password");
    await guarded.root("auth", "disable");
    expect(await count(session)).toBe("0");
  });
});

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startEtcdCluster } from "../support/etcd-cluster.ts";
import { etcdLogins } from "../support/etcd-logins.ts";
import { startEtcd, type EtcdServer } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { guardedEtcd } from "../support/guarded-etcd.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { storedKeys } from "../support/stored-keys.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { tempDir } from "../support/temp-dir.ts";
import { publication, startRegistrar, type TestRegistrar } from "../support/test-registrar.ts";

/** The longest pause between two attempts is 4.5 s, a silent host costs 3 s more; and an election may come first. */
const RECOVERED_MS = 40_000;

const WEB1 = publication("aa", "web-1", "10.0.0.1:80");
const WEB2 = publication("bb", "web-2", "10.0.0.2:80");
const BOTH = { "/app/servers/web-1": WEB1.value, "/app/servers/web-2": WEB2.value };

const url = (server: { readonly endpoint: string }): string => `http://${server.endpoint}`;
const until = (etcd: EtcdServer, servers: Readonly<Record<string, string>>): Promise<void> =>
  eventually(async () => expect(await etcd.list("/app/servers/")).toEqual(servers), {
    timeoutMs: RECOVERED_MS,
  });
const untilWhy = ({ registrar }: TestRegistrar, reason: RegExp): Promise<void> =>
  eventually(() => expect(registrar.status().why ?? "").toMatch(reason), { timeoutMs: RECOVERED_MS });
/** All of the host's keys are on one lease. @returns its number. */
async function leaseOf(etcd: EtcdServer): Promise<string> {
  const leases = new Set([...(await storedKeys(etcd, "/app/")).values()].map(({ lease }) => lease));
  expect(leases.size).toBe(1);
  return [...leases].join("");
}
const untilLater = async (ms: number): Promise<void> => {
  const since = performance.now();
  await eventually(() => expect(performance.now() - since).toBeGreaterThan(ms), { timeoutMs: 2 * ms });
};

describe.concurrent("an agent", () => {
  test("that is cut off for longer than its lease registers everything anew", async () => {
    await using etcd = await startEtcd();
    await using proxy = await startTcpProxy(etcd.port);
    await using agent = startRegistrar({ endpoints: [`http://${proxy.address}`], options: { leaseTtlS: 2 } });
    agent.want([WEB1, WEB2]);
    await until(etcd, BOTH);
    const lease = await leaseOf(etcd);
    await proxy.refuse();
    proxy.cut();
    await eventually(async () => expect(await etcd.list("/app/")).toEqual({}), { timeoutMs: RECOVERED_MS });
    await untilWhy(agent, /connection refused/);
    await proxy.pass();
    await until(etcd, BOTH);
    expect(await leaseOf(etcd)).not.toBe(lease);
  });

  test("goes on where it was when etcd is killed and started again, and anew when it was wiped", async () => {
    await using dir = await tempDir();
    await using etcd = await startEtcd({ dir: dir.path });
    await using agent = startRegistrar({ endpoints: [url(etcd)], options: { leaseTtlS: 20 } });
    agent.want([WEB1, WEB2]);
    await until(etcd, BOTH);
    const [lease, revision] = [await leaseOf(etcd), await etcd.revision()];
    await etcd.kill("SIGKILL");
    await untilWhy(agent, /connection (?:refused|lost)/);
    await etcd.restart();
    const good = { state: "registering", published: 2, endpoint: url(etcd) };
    await eventually(() => expect(agent.registrar.status()).toMatchObject(good), { timeoutMs: RECOVERED_MS });
    expect([await leaseOf(etcd), await etcd.revision()]).toEqual([lease, revision]);

    await etcd.kill("SIGKILL");
    await rm(join(dir.path, "m0.data"), { recursive: true });
    await etcd.restart();
    await until(etcd, BOTH);
    await leaseOf(etcd);
  });

  test("of a cluster that loses its leader keeps its lease, and registers what came meanwhile", async () => {
    await using cluster = await startEtcdCluster();
    const leader = await eventually(() => cluster.leader());
    const others = cluster.members.filter((member) => member !== leader);
    const [other = leader] = others;
    const endpoints = [leader, ...others].map(url);
    await using agent = startRegistrar({ endpoints, options: { leaseTtlS: 20 } });
    agent.want([WEB1]);
    await until(other, { "/app/servers/web-1": WEB1.value });
    const [lease, revision] = [await leaseOf(other), await other.revision()];
    await leader.kill("SIGKILL");
    agent.want([WEB1, WEB2]);
    await until(other, BOTH);
    expect(await leaseOf(other)).toBe(lease);
    expect(await other.history("/app/servers/web-1", revision)).toEqual([WEB1.value]);
  });

  test("logs in again when its login has expired, without a break", async () => {
    const grants = ["--prefix=true readwrite /app/servers/", "--prefix=true readwrite /app/owners/"];
    await using guarded = await guardedEtcd({ agent: grants }, { flags: ["--auth-token-ttl", "2"] });
    await using agent = startRegistrar({
      endpoints: [],
      options: { access: guarded.access("agent"), leaseTtlS: 20 },
    });
    const untilPublished = (published: number): Promise<void> =>
      eventually(() => expect(agent.registrar.status()).toMatchObject({ published }), {
        timeoutMs: RECOVERED_MS,
      });
    agent.want([WEB1]);
    await untilPublished(1);
    const logins = await etcdLogins(guarded.etcd);
    await untilLater(6000);
    agent.want([WEB1, WEB2]);
    await untilPublished(2);
    // Nobody but the agent has logged in meanwhile; refreshing the lease needs no login.
    expect(await etcdLogins(guarded.etcd)).toBe(logins + 1);
    expect(await guarded.root("get", "--prefix", "--keys-only", "/app/servers/")).toContain("web-2");
    expect(agent.registrar.status().counts.breaks).toBe(0);
  });

  test("with an etcd that is full keeps what it has, and registers the rest when there is room", async () => {
    await using etcd = await startEtcd({ flags: ["--quota-backend-bytes", "300000"] });
    const { log, lines } = recordingLogger();
    await using agent = startRegistrar({ endpoints: [url(etcd)], options: { log, leaseTtlS: 10 } });
    agent.want([WEB1]);
    await until(etcd, { "/app/servers/web-1": WEB1.value });
    const lease = await leaseOf(etcd);
    const fill = async (n: number): Promise<unknown> =>
      etcd.put(`/fill/${n}`, "x".repeat(50_000)).then(
        () => fill(n + 1),
        (thrown: unknown) => thrown,
      );
    expect(String(await fill(0))).toMatch(/space exceeded/);
    agent.want([WEB1, WEB2]);
    await untilWhy(agent, /it is out of space .*etcdctl alarm disarm/);
    // Longer than the lease would last alone.
    await untilLater(14_000);
    expect(await etcd.list("/app/servers/")).toEqual({ "/app/servers/web-1": WEB1.value });
    // Said once, not at each attempt.
    const said = lines.filter(({ level, reason }) => level === "warn" && /out of space/.test(String(reason)));
    expect(said.length).toBeLessThan(agent.registrar.status().counts.breaks);
    await etcd.ctl("del", "--prefix", "/fill/");
    await etcd.compact();
    await etcd.ctl("defrag");
    await etcd.ctl("alarm", "disarm");
    await until(etcd, BOTH);
    expect(await leaseOf(etcd)).toBe(lease);
  });

  test("writes no more at a time than its etcd takes", async () => {
    await using etcd = await startEtcd({ flags: ["--max-txn-ops", "8", "--max-request-bytes", "4000"] });
    await using agent = startRegistrar({ endpoints: [url(etcd)], options: { leaseTtlS: 20 } });
    const meta = "x".repeat(900);
    const many = Array.from({ length: 40 }, (_, n) =>
      publication(`${n + 10}`, `web-${n}`, `10.0.0.1:${n + 1} meta.note=${meta}`),
    );
    agent.want(many);
    await until(etcd, Object.fromEntries(many.map(({ name, value }) => [`/app/servers/${name}`, value])));
    await eventually(() => expect(agent.registrar.status()).toMatchObject({ published: 40 }));
    expect(agent.registrar.status().counts).toMatchObject({ breaks: 0, conflicts: 0 });
    await agent.end();
    expect(await etcd.list("/app/")).toEqual({});
  });

  test("says which permission it lacks, tries again, and registers when it has it", async () => {
    await using guarded = await guardedEtcd({ agent: ["--prefix=true readwrite /app/servers/"] });
    const grant = (right: string, key: string): Promise<string> =>
      guarded.root("role", "grant-permission", "agent", "--prefix=true", right, key);
    const { log, lines } = recordingLogger();
    await using agent = startRegistrar({ endpoints: [], options: { log, access: guarded.access("agent") } });
    agent.want([WEB1]);
    await untilWhy(agent, /permission denied for \/app\/owners\/ \(the user's role needs READ\)$/);
    await grant("read", "/app/owners/");
    const missing =
      "user agent may not write /app/owners/ (etcdctl role grant-permission ROLE --prefix=true readwrite /app/owners/)";
    await eventually(() => expect(agent.registrar.status().why ?? "").toContain(missing), {
      timeoutMs: RECOVERED_MS,
    });
    expect(
      lines.filter(({ level, reason }) => level === "warn" && String(reason).includes(missing)),
    ).not.toEqual([]);
    await grant("readwrite", "/app/owners/");
    await eventually(() => expect(agent.registrar.status()).toMatchObject({ published: 1, why: null }), {
      timeoutMs: RECOVERED_MS,
    });
  });
});

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEtcd } from "../support/etcd-server.ts";
import { eventually } from "../support/eventually.ts";
import { figure } from "../support/figure.ts";
import { startLoad } from "../support/load.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const SLOW = { timeoutMs: 40_000 };

/** Puts a server's key on a lease of its own. @returns the lease, for `lease revoke`. */
async function leased({ etcd }: Stack, name: string, value: string): Promise<string> {
  const lease = / lease ([0-9a-f]+) /.exec(` ${await etcd.ctl("lease", "grant", "600")} `)?.[1] ?? "";
  await etcd.ctl("put", `--lease=${lease}`, `/app/servers/${name}`, value);
  return lease;
}

const heldNames = async ({ daemon }: Stack): Promise<readonly string[]> =>
  (await daemon.status()).held.map(({ name }) => name);

/** Why servers are no longer held, or were not, by the daemon's log. */
const endings = ({ daemon }: Stack): readonly string[] =>
  daemon
    .log()
    .filter(({ msg }) => msg === "no longer held" || msg === "vanished, not held")
    .map(({ server, reason }) => `${String(server)}: ${String(reason)}`);

describe("servers that vanish", () => {
  it("with their lease are served on while they are UP; what is deleted or drained goes at once", async () => {
    await using stack = await startStack({ version: "3.0" });
    const { etcd, daemon } = stack;
    await stack.app("stays");
    const apps = new Map<string, Awaited<ReturnType<Stack["app"]>>>();
    const leases = new Map<string, string>();
    for (const name of ["dies", "drained", "overridden", "returns"]) {
      const app = await stack.app(name, { register: false });
      apps.set(name, app);
      leases.set(name, await leased(stack, name, app.address));
    }
    const unchecked = await stack.app("unchecked", { register: false });
    leases.set("unchecked", await leased(stack, "unchecked", `${unchecked.address} check=off`));
    await stack.app("deleted");
    await stack.untilServed([...leases.keys(), "deleted", "stays"]);
    const reloads = stack.reloads();
    const revoke = (name: string): Promise<string> => etcd.ctl("lease", "revoke", leases.get(name) ?? "");
    const load = startLoad({ url: stack.url, connections: 4, keepAlive: true, maxSeconds: 100 });

    await etcd.del("/app/servers/deleted");
    const drained = `${apps.get("drained")?.address} state=drain`;
    await etcd.ctl("put", `--lease=${leases.get("drained")}`, "/app/servers/drained", drained);
    for (const name of leases.keys()) await revoke(name);
    await eventually(async () => {
      expect(await heldNames(stack)).toEqual(["dies", "overridden", "returns"]);
    }, SLOW);
    await stack.untilServed(["dies", "overridden", "returns", "stays"]);
    await eventually(() => expect(endings(stack)).toEqual(["webserver/unchecked: no check in HAProxy"]));
    const ready = await daemon.get("/readyz");
    expect(ready.code).toBe(200);
    expect(ready.text).toMatch(/note: 3 servers vanished and are held .* webserver\/dies, webserver\/over/);
    expect((await daemon.get("/metrics")).text).toMatch(/^rollcall_held_servers 3$/m);

    await etcd.put("/app/servers/returns", apps.get("returns")?.address ?? "");
    await etcd.put("/app/overrides/overridden", "drain");
    await stack.untilServed(["dies", "returns", "stays"]);
    await eventually(async () => expect(await heldNames(stack)).toEqual(["dies"]), SLOW);
    const { failures, failed, sent } = await load.stop();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(100);
    figure("requests sent", sent);
    figure("requests failed", failed);

    await apps.get("dies")?.close();
    await eventually(async () => expect(await heldNames(stack)).toEqual([]), SLOW);
    await eventually(() => expect(stack.config()).not.toContain("server dies"), SLOW);
    await eventually(() =>
      expect(endings(stack).slice(1).toSorted()).toEqual([
        "webserver/dies: not UP by HAProxy's check",
        "webserver/overridden: taken out by an override",
        "webserver/returns: registered again",
      ]),
    );
    expect(stack.reloads()).toBe(reloads);
  });

  it("with the whole store are served on without a failed request", async () => {
    await using dir = await tempDir();
    await using etcd = await startEtcd({ dir: dir.path });
    await using stack = await startStack({ version: "3.0", etcd });
    for (const name of ["a", "b"]) await stack.app(name);
    await stack.untilServed(["a", "b"]);
    const load = startLoad({ url: stack.url, connections: 4, keepAlive: true, maxSeconds: 100 });
    await etcd.kill();
    await rm(join(dir.path, "m0.data"), { recursive: true });
    await etcd.restart();
    // A store that is filled again may be further than the old one was.
    for (let more = 0; more < 10; more++) await etcd.put("/somebody/else", String(more));
    await eventually(async () => expect(await heldNames(stack)).toEqual(["a", "b"]), SLOW);
    await stack.app("c");
    await stack.untilServed(["a", "b", "c"]);
    const { failures, failed, sent } = await load.stop();
    expect(failures).toEqual([]);
    figure("requests sent", sent);
    figure("requests failed", failed);
  });

  it("are removed when the time is over", async () => {
    await using stack = await startStack({ version: "3.0", options: { hold: "2s" } });
    await stack.app("stays");
    const app = await stack.app("goes", { register: false });
    const lease = await leased(stack, "goes", app.address);
    await stack.untilServed(["goes", "stays"]);
    await stack.etcd.ctl("lease", "revoke", lease);
    await stack.untilServed(["stays"]);
    await eventually(() => expect(endings(stack)).toEqual(["webserver/goes: time is over"]));
    expect(await heldNames(stack)).toEqual([]);
  });
});

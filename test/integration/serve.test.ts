import { describe, expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { startStack } from "../support/stack.ts";

/** The reload interval of the daemon is a second; this is longer than two of them. */
const QUIET_MS = 2500;
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(haproxyVersions)("HAProxy %s follows etcd", (version) => {
  it("serves what is put, drops what is deleted, and answers 503 when the last server is gone", async () => {
    await using stack = await startStack({ version });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    await stack.etcd.del("/app/servers/web1");
    await stack.untilServed(["web2"]);
    await stack.etcd.del("/app/servers/web2");
    await stack.untilServed(["503"]);
    expect((await stack.daemon.get("/readyz")).code).toBe(200);
  });

  it("reloads for nothing but a real change", async () => {
    await using stack = await startStack({ version });
    const app = await stack.app("web1");
    await stack.untilServed(["web1"]);
    const before = { reloads: stack.reloads(), revision: await stack.etcd.revision() };
    for (let count = 0; count < 20; count++) {
      await stack.etcd.put("/app/servers/web1", count % 2 === 0 ? app.address : `${app.address}\n`);
      await stack.etcd.put("/somebody/else", String(count));
    }
    const lease = (await stack.etcd.ctl("lease", "grant", "60")).split(" ")[1] ?? "";
    await stack.etcd.ctl("put", "--lease", lease, "/app/servers/web1", app.address);
    for (let count = 0; count < 3; count++) await stack.etcd.ctl("lease", "keep-alive", "--once", lease);
    await eventually(async () => {
      const etcd = (await stack.daemon.status()).sources.find((source) => source.name === "etcd");
      expect(Number(etcd?.revision)).toBeGreaterThan(before.revision + 20);
    });
    await after(QUIET_MS);
    expect(stack.reloads()).toBe(before.reloads);
    expect(await stack.served()).toEqual(["web1"]);
  });

  it("needs at most three reloads for 200 changes in a second, and serves the last state", async () => {
    await using stack = await startStack({ version });
    const [a, b] = [await stack.app("a"), await stack.app("b")];
    await stack.untilServed(["a", "b"]);
    await after(QUIET_MS);
    const before = stack.reloads();
    for (let count = 0; count < 200; count++) {
      void stack.etcd.put("/app/servers/web", count % 2 === 0 ? a.address : `${b.address} weight=${count}`);
      await after(5);
    }
    await stack.etcd.put("/app/servers/web", `${b.address} weight=77`);
    await eventually(() => {
      expect(stack.config()).toContain(`server web ${b.address} check inter 2000 rise 2 fall 5 weight 77\n`);
    });
    await after(QUIET_MS);
    expect(stack.reloads() - before).toBeLessThanOrEqual(3);
    const state = await stack.haproxy.show("show servers state webserver");
    expect(
      state
        .split("\n")
        .find((line) => line.includes(" web "))
        ?.split(" ")[7],
    ).toBe("77");
  });

  it("serves ninety-nine when one of a hundred is malformed, and says which and why", async () => {
    await using stack = await startStack({ version });
    const app = await stack.app("web01");
    const rest = Array.from({ length: 98 }, (_, at) => `web${String(at + 2).padStart(2, "0")}`);
    await Promise.all(rest.map((name) => stack.etcd.put(`/app/servers/${name}`, app.address)));
    await stack.etcd.put("/app/servers/broken", "127.0.0.1:80\n    server evil 127.0.0.1:22");
    await eventually(async () => {
      const lines = (await stack.haproxy.show("show servers state webserver")).trim().split("\n");
      expect(lines.length - 2).toBe(99);
    });
    const { quarantined } = await stack.daemon.status();
    expect(quarantined).toMatchObject([{ source: "etcd", origin: "/app/servers/broken" }]);
    expect(quarantined[0]?.reason).toContain("\\n");
    expect(stack.config()).not.toContain("evil");
  });

  it("drains, disables, weighs and routes as the values say", async () => {
    await using stack = await startStack({ version });
    const app = await stack.app("web1", { register: false });
    await stack.etcd.put("/app/servers/web1", `${app.address} weight=50 maxconn=7`);
    await stack.etcd.put("/app/servers/web2", `${app.address} state=maint`);
    await stack.etcd.put("/app/servers/web3", JSON.stringify({ address: app.address, backup: true }));
    const api = await stack.app("api1", { register: false });
    await stack.etcd.put("/app/servers/api/api1", `${api.address} host=api.example.org path=/v1`);
    await stack.etcd.put("/app/overrides/web1", "drain");
    // Status and weight of each server; a server that drains has the weight 0.
    const states = async (): Promise<Record<string, string>> => {
      const [header = "", ...rows] = (await stack.haproxy.show("show stat")).split("\n");
      const [status, weight] = ["status", "weight"].map((name) => header.slice(2).split(",").indexOf(name));
      const state = (row: readonly string[]): string =>
        `${row[status ?? 0]?.split(" ")[0]} ${row[weight ?? 0]}`;
      return Object.fromEntries(rows.map((row) => [row.split(",")[1], state(row.split(","))]));
    };
    await eventually(async () => {
      expect(await states()).toMatchObject({ web1: "UP 0", web2: "MAINT 1", web3: "UP 1", api1: "UP 1" });
    });
    const ask = async (path: string, host: string): Promise<string> => (await stack.ask(path, { host })).text;
    expect(await ask("/v1/users", "API.example.org:80")).toBe("api1");
    expect(await ask("/v2", "api.example.org")).toBe("web1");
    await stack.etcd.del("/app/overrides/web1");
    await eventually(async () => {
      expect(await states()).toMatchObject({ web1: "UP 50" });
    });
  });
});

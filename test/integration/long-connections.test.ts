import { describe, expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { type LongConnection, openTunnel, startDownload } from "../support/long-connection.ts";
import { type Place, randomChange } from "../support/random-change.ts";
import { placeOf, runningServers } from "../support/running-servers.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Stack } from "../support/stack.ts";
import { stacksOfSuite } from "../support/stacks.ts";
import { startStreamApp, type StreamApp } from "../support/stream-app.ts";
import { type Change, wantedRoster, writeChange } from "../support/wanted-roster.ts";

const CHANGES = 100;
const STAYS = "webserver/stays";

const names = async ({ haproxy }: Stack): Promise<readonly string[]> =>
  (await runningServers(haproxy)).map(({ name }) => name);

/** The app as the only server, so that whatever is opened then goes there. */
async function serveAlone(stack: Stack, app: StreamApp): Promise<void> {
  await stack.etcd.put("/app/servers/webserver/stays", app.address);
  await stack.untilServed([app.name]);
  await eventually(async () => expect((await stack.daemon.get("/readyz")).text).toBe("ready\n"));
}

/** Resolves when a connection has gone on for so many echoes or lines more. */
const goesOn = (connection: LongConnection, more: number): Promise<void> => {
  const wanted = connection.received + more;
  return eventually(() => {
    expect(connection.trouble).toBeNull();
    expect(connection.received).toBeGreaterThanOrEqual(wanted);
  });
};

describe("connections to a server that stays", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)(
    "HAProxy %s cuts none of them in a hundred changes",
    async (version) => {
      const stack = stackOf(version);
      await using app = await startStreamApp("stays");
      await serveAlone(stack, app);
      const open = [openTunnel, openTunnel, startDownload, startDownload].map((how) => how(stack.url));
      const connections = await Promise.all(open);
      const [worker, reloads] = [await stack.haproxy.workerPid(), stack.reloads()];
      const apps = await Promise.all(["x", "y"].map((name) => stack.app(name, { register: false })));
      const places = apps.map(({ host, port }) => ({ host, port }));
      const random = seededRandom(version);
      const stays = { host: app.host, port: app.port };
      // On 2.6 a server that moves is a reload.
      const placesOf = (): readonly Place[] => (version === "2.6" ? places.slice(1) : places);
      let wanted = wantedRoster().after({ id: STAYS, server: stays });
      const otherChange = (): Change =>
        randomChange({ wanted, random, backend: "webserver", names: 6, placesOf });
      // Also of the server itself, as long as it stays.
      const ownChange = (): Change =>
        random.pick<Change>([
          { id: STAYS, server: { ...stays, weight: 1 + random.below(200) } },
          { id: STAYS, override: "drain" },
          { id: STAYS, override: "maint" },
          { id: STAYS, override: null },
        ]);
      for (let change = 1; change <= CHANGES; change++) {
        const next = random.below(5) === 0 ? ownChange() : otherChange();
        wanted = wanted.after(next);
        await writeChange(stack.etcd, next);
        if (random.below(2) === 0) continue;
        await eventually(async () =>
          expect((await runningServers(stack.haproxy)).map(placeOf), `seed ${random.seed}`).toEqual(
            wanted.places(),
          ),
        );
        expect(stack.haproxy.processes(), `seed ${random.seed}, change ${change}`).toEqual([worker]);
      }
      for (const connection of connections) await goesOn(connection, 2);
      app.endDownloads();
      await Promise.all(connections.slice(2).map(({ ended }) => ended));
      await Promise.all(connections.slice(0, 2).map((connection) => connection.close()));
      expect(connections.map(({ trouble }) => trouble)).toEqual([null, null, null, null]);
      expect(stack.reloads() - reloads).toBe(0);
      console.log(
        `HAProxy ${version}: ${connections.map(({ received }) => received).join(", ")} echoes and lines`,
      );
    },
  );
});

describe("connections to a server that is removed", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s lets them go on until they end", async (version) => {
    const stack = stackOf(version);
    await using app = await startStreamApp("stays");
    await serveAlone(stack, app);
    await using tunnel = await openTunnel(stack.url);
    await using download = await startDownload(stack.url);
    const [worker, reloads] = [await stack.haproxy.workerPid(), stack.reloads()];
    await stack.app("other");
    await stack.etcd.del("/app/servers/webserver/stays");
    await stack.untilServed(["other"]);
    await goesOn(tunnel, 40);
    await goesOn(download, 10);
    // Changes to others are not held up by it.
    await stack.app("third");
    await stack.untilServed(["other", "third"]);
    app.endDownloads();
    await download.ended;
    await tunnel.close();
    await eventually(async () => expect(await names(stack)).toEqual(["other", "third"]));
    expect([tunnel.trouble, download.trouble]).toEqual([null, null]);
    expect(stack.haproxy.processes()).toEqual([worker]);
    expect(stack.reloads()).toBe(reloads);
  });
});

describe("a name that comes back while connections to its old server go on", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s serves the new one and cuts nothing", async (version) => {
    const stack = stackOf(version);
    await using app = await startStreamApp("old");
    await serveAlone(stack, app);
    await using tunnel = await openTunnel(stack.url);
    const other = await stack.app("other");
    await stack.etcd.del("/app/servers/webserver/stays");
    await stack.untilServed(["other"]);
    const renewed = await stack.app("new", { register: false });
    await stack.etcd.put("/app/servers/webserver/stays", `${renewed.address} maxconn=77`);
    await stack.untilServed(["new", "other"], 5000);
    await goesOn(tunnel, 20);
    // The same server again, that was only away for a moment.
    await stack.etcd.del("/app/servers/webserver/stays");
    await stack.untilServed(["other"]);
    await stack.etcd.put("/app/servers/webserver/stays", app.address);
    await stack.untilServed(["old", "other"], 5000);
    await goesOn(tunnel, 20);
    const servers = (await runningServers(stack.haproxy)).map(({ name, port }) => `${name}:${port}`);
    expect(servers).toEqual([`other:${other.port}`, `stays:${app.port}`]);
  });
});

describe("connections to a removed server, with a removal-timeout of one second", () => {
  const stackOf = stacksOfSuite({ options: { "removal-timeout": "1s" } });

  it.concurrent.each(haproxyVersions)("HAProxy %s cuts them after it, not before", async (version) => {
    const stack = stackOf(version);
    await using app = await startStreamApp("stays");
    await serveAlone(stack, app);
    await using tunnel = await openTunnel(stack.url);
    await using download = await startDownload(stack.url);
    const reloads = stack.reloads();
    await stack.app("other");
    await stack.untilServed(["other", "stays"]);
    // A server that drains is not removed: its connections stay.
    await stack.etcd.put("/app/overrides/webserver/stays", "drain");
    await stack.untilServed(["other"]);
    await goesOn(tunnel, 30);
    await stack.etcd.del("/app/servers/webserver/stays");
    const removedAt = performance.now();
    await goesOn(tunnel, 10);
    await eventually(() => {
      expect(tunnel.trouble).toMatch(/^(?:closed|error)/);
      expect(download.trouble).toMatch(/lines$/);
    });
    const cutMs = performance.now() - removedAt;
    expect(cutMs).toBeGreaterThan(900);
    expect(cutMs).toBeLessThan(4000);
    await eventually(async () => expect(await names(stack)).toEqual(["other"]));
    expect(await stack.served()).toEqual(["other"]);
    expect(stack.reloads()).toBe(reloads);
  });
});

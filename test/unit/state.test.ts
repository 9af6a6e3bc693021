import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bigLosses } from "../../src/core/big-losses.ts";
import { causes } from "../../src/core/causes.ts";
import { causeText, withPass } from "../../src/core/history-entry.ts";
import { parseRegistryMemory, recallRegistry, rememberRegistry } from "../../src/core/registry-memory.ts";
import { registryPicture } from "../../src/core/registry-picture.ts";
import { recallSnapshot, rememberSnapshot } from "../../src/core/remembered.ts";
import { buildRoster, type Roster } from "../../src/core/roster.ts";
import type { Server } from "../../src/core/server.ts";
import { snapshot } from "../../src/core/snapshot.ts";
import { historyKeeper, readHistory } from "../../src/state/history.ts";
import { orderPin, orderRelease, readOrders } from "../../src/state/orders.ts";
import { openStateFolder } from "../../src/state/state-folder.ts";
import { writeTrouble } from "../../src/state/write-trouble.ts";
import { nullLogger } from "../support/null-logger.ts";
import { APPLIED, passRecord, statusServer } from "../support/status.ts";
import { tempDir } from "../support/temp-dir.ts";

let dir: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  dir = await tempDir();
});
afterEach(async () => dir[Symbol.asyncDispose]());

const trouble = (path: string) => writeTrouble({ path, log: nullLogger, now: () => 7 });
const roster = (...servers: readonly Server[]): Roster =>
  buildRoster([snapshot({ source: "etcd", revision: "1", servers })], { defaultBackend: "webserver" });

describe("the state folder", () => {
  test("gives back what was written, is nobody else's to read, and leaves nothing beside it", async () => {
    const folder = await openStateFolder(join(dir.path, "a", "b"), nullLogger);
    expect(await folder.read("x")).toBeNull();
    await folder.write("x", { a: ["é", 1] });
    await folder.write("x", { a: ["é", 2] });
    expect(await folder.read("x")).toEqual({ a: ["é", 2] });
    expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder.path, "x.json"))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder.path)).toEqual(["x.json"]);
  });

  test("a file that is cut off anywhere, or has any byte changed, is never taken for a whole one", async () => {
    const folder = await openStateFolder(dir.path, nullLogger);
    await folder.write("x", { servers: ["web1", "web2"] });
    const file = join(dir.path, "x.json");
    const whole = await readFile(file);
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length));
      expect(await folder.read("x")).toBeNull();
    }
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(file, changed);
      const read = await folder.read("x");
      // A few bytes of the first line mean nothing to us.
      if (read !== null) expect(read).toEqual({ servers: ["web1", "web2"] });
    }
    await writeFile(file, whole);
    expect(await folder.read("x")).toEqual({ servers: ["web1", "web2"] });
  });

  test("one that cannot be used says what to do", async () => {
    await writeFile(join(dir.path, "file"), "");
    await expect(openStateFolder(join(dir.path, "file"), nullLogger)).rejects.toThrow(
      /^state-dir .*file cannot be used: make it a folder that this user may write$/,
    );
  });
});

test("orders: a pin and releases stand beside each other; nonsense is no order", async () => {
  const folder = await openStateFolder(dir.path, nullLogger);
  expect(await readOrders(folder)).toEqual({ pin: null, releases: [] });
  await orderPin(folder, { entry: 3, atMs: 1 });
  await orderRelease(folder, { server: "webserver/web1", nowMs: 2 });
  await orderRelease(folder, { server: null, nowMs: 3 });
  const { pin, releases } = await readOrders(folder);
  expect(pin).toEqual({ entry: 3, atMs: 1 });
  expect(releases.map(({ number, server }) => [number, server])).toEqual([
    [1, "webserver/web1"],
    [2, null],
  ]);
  for (const bad of [[], { pin: {} }, { releases: 1 }, { releases: [{}] }, "x"]) {
    await folder.write("orders", bad);
    expect(await readOrders(folder)).toEqual({ pin: null, releases: [] });
  }
});

test("orders that cannot be read just now are those that are known", async () => {
  const folder = await openStateFolder(dir.path, nullLogger);
  const known = { pin: { entry: 3, atMs: 5 }, releases: [] };
  expect(await readOrders(folder, known)).toEqual({ pin: null, releases: [] });
  await mkdir(join(dir.path, "orders.json"));
  expect(await readOrders(folder, known)).toEqual(known);
});

test("the history keeps a hundred entries with their texts, counts on, and survives", async () => {
  const folder = await openStateFolder(dir.path, nullLogger);
  const keeper = await historyKeeper(folder, trouble(folder.path));
  const stop = new AbortController();
  const note = {
    record: passRecord(1, 0, APPLIED),
    causes: [],
    moreCauses: 0,
    losses: [],
    rolledBackTo: null,
  };
  for (let i = 1; i <= 3; i++) keeper.note(note, `text ${i}`);
  stop.abort();
  await keeper.run(stop.signal);
  const [entry, ...others] = (await readHistory(folder)).entries();
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ number: 1, passes: 3, reloads: 3 });
  expect(await keeper.text(1)).toBe("text 3");
  for (let i = 2; i <= 103; i++) {
    keeper.note(note, `text ${i}`);
    await keeper.run(stop.signal);
  }
  // HAProxy was brought back to it: that is no other one, also for a later process.
  keeper.note(note, "text 103");
  await keeper.run(stop.signal);
  const later = await historyKeeper(folder, trouble(folder.path));
  later.note(note, "text 103");
  await later.run(stop.signal);
  const read = await readHistory(folder);
  expect(read.entries().map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, i) => 103 - i));
  expect([await read.text(3), await read.text(4), await read.text(103)]).toEqual([
    null,
    "text 4",
    "text 103",
  ]);
  expect(await readdir(join(dir.path, "history"))).toHaveLength(100);
});

test("a history that cannot be written is told of, and written when it can, in one entry", async () => {
  const folder = await openStateFolder(dir.path, nullLogger);
  const writing = trouble(folder.path);
  const keeper = await historyKeeper(folder, writing);
  await writeFile(join(dir.path, "history"), "in the way");
  const note = {
    record: passRecord(1, 0, APPLIED),
    causes: [],
    moreCauses: 0,
    losses: [],
    rolledBackTo: null,
  };
  for (const text of ["first", "second"]) {
    keeper.note(note, text);
    await keeper.run(AbortSignal.abort());
    expect(keeper.entries()).toEqual([]);
    expect(writing.current()).toMatchObject({ reason: expect.stringContaining("EEXIST"), sinceMs: 7 });
  }
  await rm(join(dir.path, "history"));
  await keeper.run(AbortSignal.abort());
  expect(keeper.entries()).toMatchObject([{ number: 1, passes: 2, reloads: 2 }]);
  expect(await keeper.text(1)).toBe("second");
  expect(writing.current()).toBeNull();
});

describe("what is remembered of a source", () => {
  test("is what it served, with where it is from", () => {
    const servers = [
      statusServer("web1", { weight: 5, state: "drain", tags: ["a"], meta: { k: "a b" } }),
      statusServer("web2", { routes: [{ host: "x.org", path: null }], check: false }),
    ];
    const picture = snapshot({ source: "docker", revision: "7", servers });
    const recalled = recallSnapshot(JSON.parse(JSON.stringify(rememberSnapshot(picture))));
    expect(recalled?.servers).toEqual(
      servers.map((one) => ({ ...one, origin: { ...one.origin, source: "docker" } })),
    );
  });

  test("whatever else stands there is nothing, and never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(recallSnapshot(value)).toBeNull();
        expect(parseRegistryMemory(value)).toBeNull();
      }),
    );
    const bad = { source: "x", revision: "1", servers: [["b", "n\nacl", "10.0.0.1:80", "", "", "s"]] };
    expect(recallSnapshot(bad)).toBeNull();
  });
});

test("a registry goes on where it was: entries, leases, what had vanished and for how long", () => {
  const layout = {
    source: "etcd",
    prefix: "/app/servers/",
    overridesPrefix: "/app/overrides/",
    watch: [],
    defaultBackend: "webserver",
  };
  const options = { keepVanishedMs: 60_000 };
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const picture = registryPicture(layout, options);
  const put = (key: string, value: string, isLeased: boolean): void =>
    picture.put({ key: bytes(key), value: bytes(value), modRevision: "5", isLeased });
  put("/app/servers/web1", "10.0.0.1:80", true);
  put("/app/servers/web2", "10.0.0.2:80", false);
  put("/app/servers/web3", "10.0.0.3:80", true);
  put("/app/overrides/web2", "drain", false);
  picture.complete({ isSameStore: true, nowMs: 0 });
  picture.snapshot("9");
  picture.remove(bytes("/app/servers/web3"), 1000);
  const { vanished } = picture.snapshot("9");
  const store = { clusterId: "77", revision: "9" };
  const memory = rememberRegistry({ picture, vanished, store, nowMs: 4000, savedAtMs: 1_000_000 });
  const parsed = parseRegistryMemory(JSON.parse(JSON.stringify(memory)));
  if (parsed === null) throw new Error("it cannot be read again");
  const next = registryPicture(layout, options);
  const recalled = recallRegistry(parsed, { picture: next, nowMs: 100, timeOfDayMs: 1_002_000 });
  expect(recalled.servers.map(({ name }) => name)).toEqual(["web1", "web2"]);
  expect(recalled.overrides).toHaveLength(1);
  expect(recalled.vanished).toMatchObject([{ server: { name: "web3" }, sinceMs: 100 - 3000 - 2000 }]);

  const after = next.successor();
  after.complete({ isSameStore: true, nowMs: 200 });
  // Of those with a lease nobody knows; the other one was deleted.
  expect(after.snapshot("10").vanished.map(({ server }) => server.name)).toEqual(["web3", "web1"]);
});

describe("causes", () => {
  test("name what came, went and changed, and by whom", () => {
    const before = roster(statusServer("a"), statusServer("b"), statusServer("c"));
    const after = roster(
      statusServer("b", { weight: 7, state: "drain" }),
      statusServer("c"),
      statusServer("d"),
    );
    expect(causes(before, after).map(causeText)).toEqual([
      "etcd /app/servers/b (4711): changed webserver/b state ready -> drain, weight default -> 7",
      "etcd /app/servers/d (4711): added webserver/d 10.0.0.5:80",
      "etcd /app/servers/a (4711): removed webserver/a",
    ]);
    expect(causes(before, before)).toEqual([]);
  });

  test("of many passes are kept up to twenty, and the others counted", () => {
    const many = Array.from({ length: 15 }, (_, i) => statusServer(`s${i}`));
    const found = causes(roster(), roster(...many));
    const given = { record: passRecord(1, 0, APPLIED), moreCauses: 1, losses: [], rolledBackTo: null };
    const entry = withPass(withPass(null, { ...given, causes: found }), { ...given, causes: found });
    expect([entry.causes.length, entry.moreCauses]).toEqual([20, 12]);
    expect(entry.reasons).toEqual(["backend webserver servers: +web1"]);
  });
});

test.each([
  [3, 1, false],
  [3, 2, true],
  [4, 2, false],
  [1, 1, false],
  [2, 2, true],
])("of %i servers %i go: a big loss: %s", (count, gone, isBig) => {
  const all = Array.from({ length: count }, (_, i) => statusServer(`s${i}`));
  const found = bigLosses(roster(...all), roster(...all.slice(gone)));
  expect(found).toEqual(isBig ? [{ backend: "webserver", before: count, removed: gone }] : []);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Health, hold, type HoldState, type HoldStep, NOTHING_HELD } from "../../src/core/hold.ts";
import { buildRoster, type Roster } from "../../src/core/roster.ts";
import type { Server } from "../../src/core/server.ts";
import { type Override, snapshot, type Snapshot, type Vanished } from "../../src/core/snapshot.ts";
import { withHeld } from "../../src/core/with-held.ts";
import { statusServer } from "../support/status.ts";

const HOLD_MS = 1000;

const server = (name: string, given: Partial<Server> = {}): Server =>
  statusServer(name, { address: `10.0.0.${name.charCodeAt(0)}`, ...given });
const gone = (name: string, given: Partial<Vanished> = {}): Vanished => ({
  server: server(name),
  plain: { key: `/app/servers/${name}`, value: "x" },
  why: "lease",
  sinceMs: 0,
  ...given,
});
const picture = (given: Partial<Snapshot>): Snapshot => snapshot({ source: "etcd", revision: "1", ...given });
const rosterOf = (...servers: readonly Server[]): Roster =>
  buildRoster([picture({ servers })], { defaultBackend: "webserver" });
const override = (name: string, given: Partial<Override>): Override => ({
  backend: "webserver",
  name,
  state: null,
  weight: null,
  origin: { source: "etcd", id: name, revision: "1" },
  ...given,
});

interface Moment {
  readonly from?: HoldState;
  readonly picture: Partial<Snapshot>;
  readonly others?: readonly Snapshot[];
  readonly roster?: Roster | null;
  readonly health?: Health | null;
  readonly nowMs?: number;
}

function step({ from = NOTHING_HELD, roster = null, health = null, nowMs = 1, ...given }: Moment): HoldStep {
  const snapshots = [picture(given.picture), ...(given.others ?? [])];
  return hold(from, { snapshots, roster, health: health && (() => health), nowMs, holdMs: HOLD_MS });
}

const namesOf = ({ state }: HoldStep): readonly string[] =>
  [...state.held.values()].map((one) => one.server.name);
const endings = ({ ended }: HoldStep): readonly string[] =>
  ended.map(({ held, why }) => `${held.server.name}: ${why}`);

describe("hold", () => {
  const a = gone("a");

  test.each<[string, Moment, string | null]>([
    ["HAProxy was not heard", { picture: { vanished: [a] } }, null],
    ["HAProxy says UP", { picture: { vanished: [a] }, health: "up" }, null],
    ["HAProxy says DOWN", { picture: { vanished: [a] }, health: "down" }, "a: not UP by HAProxy's check"],
    ["it has no check", { picture: { vanished: [a] }, health: "unchecked" }, "a: no check in HAProxy"],
    [
      "HAProxy has none such",
      { picture: { vanished: [a] }, health: "absent" },
      "a: not UP by HAProxy's check",
    ],
    ["just before the end", { picture: { vanished: [a] }, health: "up", nowMs: HOLD_MS - 1 }, null],
    ["at the end", { picture: { vanished: [a] }, health: "up", nowMs: HOLD_MS }, "a: time is over"],
    [
      "an operator drains it",
      { picture: { vanished: [a], overrides: [override("a", { state: "drain" })] }, health: "up" },
      "a: taken out by an override",
    ],
    [
      "an operator takes another out, and only changes its weight",
      {
        picture: {
          vanished: [a],
          overrides: [override("b", { state: "maint" }), override("a", { weight: 5 })],
        },
        health: "up",
      },
      null,
    ],
    [
      "another stands at its address",
      { picture: { vanished: [a], servers: [server("b", { address: a.server.address })] } },
      "a: replaced by another server",
    ],
    [
      "another source has its name",
      {
        picture: { vanished: [a] },
        others: [picture({ source: "docker", servers: [server("a", { port: 9 })] })],
      },
      "a: replaced by another server",
    ],
    [
      "there is one like it in another backend",
      { picture: { vanished: [a], servers: [server("a", { backend: "api" })] } },
      null,
    ],
  ])("%s", (_, moment, ending) => {
    const found = step(moment);
    expect(namesOf(found)).toEqual(ending === null ? ["a"] : []);
    expect(endings(found)).toEqual(ending === null ? [] : [ending]);
    expect(found.begun.map((one) => one.server.name)).toEqual(
      ending === null && moment.health === "up" ? ["a"] : [],
    );
  });

  test("begins once, and what has ended stays so", () => {
    const given = { picture: { vanished: [a] } };
    const first = step({ ...given, health: "up" });
    const second = step({ ...given, from: first.state, health: "up" });
    expect([first.begun.length, second.begun.length]).toEqual([1, 0]);
    const down = step({ ...given, from: second.state, health: "down" });
    expect(endings(down)).toEqual(["a: not UP by HAProxy's check"]);
    const later = step({ ...given, from: down.state, health: "up" });
    expect([namesOf(later), endings(later)]).toEqual([[], []]);
    // The key came back and vanished again: that is another case.
    expect(namesOf(step({ picture: { vanished: [gone("a")] }, from: later.state, health: "up" }))).toEqual([
      "a",
    ]);
  });

  test("a held server may be absent or not be told of for a moment", () => {
    const given = { picture: { vanished: [a] } };
    const held = step({ ...given, health: "up" }).state;
    expect(namesOf(step({ ...given, from: held, health: "absent" }))).toEqual(["a"]);
    expect(namesOf(step({ ...given, from: held }))).toEqual(["a"]);
  });

  test("a server that is no longer listed is back, or its time is over", () => {
    const held = step({ picture: { vanished: [a] }, health: "up" }).state;
    const back = step({ picture: { servers: [a.server] }, from: held });
    expect([namesOf(back), endings(back)]).toEqual([[], ["a: registered again"]]);
    expect(endings(step({ picture: {}, from: held, nowMs: HOLD_MS }))).toEqual(["a: time is over"]);
  });

  test("a server is held as it was wanted; one that was not wanted, or not ready, is not held", () => {
    const weighty = { ...server("a"), weight: 7 };
    const drained = server("b", { state: "drain" });
    const another = server("c", { origin: { source: "file", id: "servers.yaml:1", revision: "1" } });
    const found = step({
      picture: { vanished: ["a", "b", "c", "d"].map((name) => gone(name)) },
      roster: rosterOf(weighty, drained, another),
      health: "up",
    });
    expect([...found.state.held.values()].map((one) => one.server)).toEqual([weighty]);
    expect(found.ended).toEqual([]);
  });

  test("what is merged is the same as before anything vanished", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.func(fc.boolean()), (all, isGone) => {
        const servers = all.toSorted().map((name) => server(name));
        const keyOf = ({ name }: Server): [string, string] => [`/app/servers/${name}`, "x"];
        const before = picture({ servers, keys: new Map(servers.map(keyOf)) });
        const there = servers.filter(({ name }) => !isGone(name));
        const vanished = servers.filter(({ name }) => isGone(name)).map(({ name }) => gone(name));
        const after = picture({ servers: there, vanished, keys: new Map(there.map(keyOf)) });
        const roster = buildRoster([before], { defaultBackend: "webserver" });
        const { state } = hold(NOTHING_HELD, {
          snapshots: [after],
          roster,
          health: null,
          nowMs: 1,
          holdMs: 2,
        });
        const merged = buildRoster(withHeld([after], state), { defaultBackend: "webserver" });
        expect({ ...merged, keys: [...merged.keys] }).toEqual({ ...roster, keys: [...roster.keys] });
      }),
    );
  });

  test("nothing that vanished costs nothing: the very same snapshots go on", () => {
    const snapshots = [picture({ servers: [server("a")] })];
    const { state } = hold(NOTHING_HELD, { snapshots, roster: null, health: null, nowMs: 1, holdMs: 2 });
    expect(state).toBe(NOTHING_HELD);
    expect(withHeld(snapshots, state)).toBe(snapshots);
  });

  test("ten thousand that vanished are decided within a moment", () => {
    const servers = Array.from({ length: 10_000 }, (_, n) =>
      statusServer(`s${n}`, { address: `10.1.${n >> 8}.${n & 255}` }),
    );
    const vanished = servers.map((one) => ({ ...gone("a"), server: one }));
    const startedAt = performance.now();
    const found = step({ picture: { vanished }, roster: rosterOf(...servers), health: "up" });
    expect(found.state.held.size).toBe(10_000);
    // 20 ms as a rule; looking each of them up in a list would take half a minute.
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

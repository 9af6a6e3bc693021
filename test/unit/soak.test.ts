import { describe, expect, test, vi } from "vitest";
import { excuses } from "../../soak/excuses.ts";
import { growth } from "../../soak/growth.ts";
import { type Cast, FAULTS, partOf, type Round, rounds } from "../../soak/rounds.ts";
import { type Sample, secondHalf, slopePerHour } from "../../soak/samples.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { wantedRoster } from "../support/wanted-roster.ts";

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}${number}`);
const CAST: Cast = {
  operators: numbered("web", 12),
  containers: numbered("a", 12),
  placesOf: (name) => [{ host: "127.0.0.1", port: 1000 + Number(name.replace(/\D/g, "")) }],
};
const begun = [...numbered("web", 8), ...numbered("a", 10)].reduce(
  (wanted, name) => wanted.after({ id: `webserver/${name}`, server: CAST.placesOf(name)[0] ?? null }),
  wantedRoster(),
);

function play(seed: number, count: number): readonly Round[] {
  vi.stubEnv("TEST_SEED", String(seed));
  return [...rounds({ random: seededRandom("soak"), cast: CAST, wanted: begun, faults: FAULTS }).take(count)];
}

describe("the rounds", () => {
  const told = (all: readonly Round[]): string =>
    JSON.stringify(all.map(({ wanted, ...round }) => ({ ...round, places: wanted.places() })));

  test("are the same for the same seed, and others for another", () => {
    expect(told(play(1, 50))).toBe(told(play(1, 50)));
    expect(told(play(1, 50))).not.toBe(told(play(2, 50)));
  });

  test("break no part twice at once, and everything some time", () => {
    const all = play(3, 600);
    for (const { faults, changes } of all) {
      const parts = faults.map(({ name }) => partOf(name));
      expect(new Set(parts).size).toBe(parts.length);
      if (faults.some(({ name }) => name === "store-wiped"))
        expect([faults.length, changes.length]).toEqual([1, 0]);
    }
    const seen = new Set(all.flatMap(({ faults }) => faults.map(({ name }) => name)));
    expect([...seen].toSorted()).toEqual(FAULTS.toSorted());
  });

  test("leave enough servers that take requests, and end at most one container each", () => {
    for (const { changes, wanted } of play(4, 600)) {
      const ended = changes.filter((one) => one.kind === "container" && one.act !== "start");
      expect(ended.length).toBeLessThan(2);
      expect(wanted.takers("webserver").size).toBeGreaterThan(0);
      expect([...wanted.servers.keys()].filter((id) => id.includes("/a")).length).toBeGreaterThan(7);
    }
  });
});

test("a failed request is explained by what was missing while it was on its way, and by nothing else", () => {
  const { begin, fail, explained, unexplained } = excuses();
  const now = performance.now();
  begin("HAProxy was killed", 0, now)();
  const at = (sentAtMs: number, atMs: number) => ({ reason: "x", sentAtMs, atMs });
  fail(at(now - 100, now));
  fail(at(now - 100, now - 50));
  fail(at(now + 60_000, now + 61_000));
  expect([...explained()]).toEqual([["HAProxy was killed", 1]]);
  expect(unexplained()).toHaveLength(2);
  // HAProxy itself answers for an application that is gone.
  begin("an application was killed", 0, now - 200);
  expect(unexplained()).toHaveLength(2);
  fail({ ...at(now, now), reason: "503" });
  expect(unexplained()).toHaveLength(2);
});

describe("memory", () => {
  const samples = (rssOf: (atS: number) => number): readonly Sample[] =>
    Array.from({ length: 900 }, (_, index) => index * 2).map((atS) => ({
      ...{ atS, pid: 1, descriptors: 30, children: 0, zombies: 0 },
      rssMb: rssOf(atS),
    }));

  test("its slope is that of the line", () => {
    expect(
      slopePerHour(
        samples((atS) => 90 + atS / 360),
        ({ rssMb }) => rssMb,
      ),
    ).toBeCloseTo(10);
    expect(slopePerHour(samples(() => 90).slice(0, 20), ({ rssMb }) => rssMb)).toBeNull();
  });

  test("of a process that has just begun is not looked at", () => {
    const rising = samples((atS) => 90 + atS / 18);
    const last = rising.map((one) => ({ ...one, pid: one.atS < 1300 ? 1 : 2 }));
    expect(secondHalf(last).map(({ atS }) => atS)[0]).toBe(1600);
    expect(secondHalf(rising).map(({ atS }) => atS)[0]).toBe(900);
  });

  test("that grows is told, that goes up and down is not", () => {
    expect(
      growth(
        samples((atS) => 90 + atS / 18),
        30,
      ),
    ).toEqual(["Rollcall's memory grows by 200.0 MB an hour"]);
    expect(
      growth(
        samples((atS) => 100 + 15 * Math.sin(atS)),
        30,
      ),
    ).toEqual([]);
  });
});

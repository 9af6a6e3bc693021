import { describe, expect, test } from "vitest";
import type { Outcome, PassRecord } from "../../src/core/outcome.ts";
import { snapshot } from "../../src/core/snapshot.ts";
import type { Status } from "../../src/core/status.ts";
import { age } from "../../src/observe/age.ts";
import { isAlive, MAX_SILENCE_MS } from "../../src/observe/liveness.ts";
import { readiness } from "../../src/observe/readiness.ts";
import { spell } from "../../src/observe/spell.ts";
import {
  APPLIED,
  healthyStatus,
  heldServer,
  liveSource,
  NOW_MS,
  passRecord,
  statusServer,
} from "../support/status.ts";

const ABSENT = { name: "docker", state: "absent", snapshot: null, publishedAtMs: null } as const;
const picture = snapshot({ source: "etcd", revision: "4711", servers: [statusServer("web1")] });
const refused: Outcome = { kind: "refused", stage: "check", reason: "line 12: unknown keyword 'bakend'" };
const failed: Outcome = {
  kind: "failed",
  stage: "reload",
  reason: "no new worker in 5 s",
  unreachable: false,
};
const waiting: Outcome = { kind: "waiting", reason: "etcd has not answered yet (connect ECONNREFUSED)" };
const deferred: Outcome = {
  kind: "deferred",
  reasons: [{ section: "backend api", line: 30, what: "is new" }],
};

/** Passes as the status tells them, the oldest first; the last of them is the very last pass. */
function after(...records: readonly PassRecord[]): Pick<Status, "passes" | "lastPass"> {
  return {
    passes: records.filter(({ outcome }) => outcome.kind !== "unchanged").toReversed(),
    lastPass: records.at(-1) ?? null,
  };
}

describe("age", () => {
  test.each([
    [-5000, "0 s"],
    [0, "0 s"],
    [0.2, "1 ms"],
    [999, "999 ms"],
    [1000, "1 s"],
    [12_999, "12 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [119 * 60_000 + 59_999, "119 min"],
    [120 * 60_000, "2 h"],
    [47 * 3_600_000, "47 h"],
    [48 * 3_600_000, "2 d"],
  ])("%d ms is %s", (ms, words) => {
    expect(age(ms)).toBe(words);
  });
});

describe("readiness", () => {
  const cases: readonly [string, Partial<Status>, { reasons?: string[]; notes?: string[] }][] = [
    ["all is well", {}, {}],
    [
      "HAProxy does not answer",
      { haproxy: { pid: null, version: null, sinceMs: NOW_MS - 200_000, workers: null } },
      { reasons: ["HAProxy has not answered for 3 min."] },
    ],
    [
      "before the first pass",
      { applied: null, startedAtMs: NOW_MS - 300, roster: null, ...after() },
      { reasons: ["Nothing is proven to run yet, the first pass has not ended (started 300 ms ago)."] },
    ],
    [
      "waiting at the start gate tells the silent source once",
      {
        applied: null,
        ...after(passRecord(1, 12_000, waiting)),
        sources: [
          liveSource(picture, {
            state: "starting",
            snapshot: null,
            publishedAtMs: null,
            error: "connect ECONNREFUSED",
          }),
        ],
      },
      {
        reasons: [
          "Nothing was applied yet, waiting for 12 s: etcd has not answered yet (connect ECONNREFUSED).",
        ],
      },
    ],
    [
      "waiting with something applied goes on serving",
      after(passRecord(7, 60_000, APPLIED), passRecord(9, 12_000, waiting)),
      {
        notes: ["Nothing new was applied for 12 s: etcd has not answered yet (connect ECONNREFUSED)."],
      },
    ],
    [
      "unproven because the first candidate is refused",
      { applied: null, ...after(passRecord(1, 12_000, refused)) },
      {
        reasons: [
          "It is not proven what HAProxy runs, the candidate is refused at check for 12 s: line 12: unknown keyword 'bakend'.",
        ],
      },
    ],
    [
      "unproven since a reload failed",
      { applied: null, ...after(passRecord(7, 60_000, APPLIED), passRecord(9, 12_000, failed)) },
      {
        reasons: [
          "It is not proven what HAProxy runs, reload has been failing for 12 s: no new worker in 5 s.",
        ],
      },
    ],
    [
      "unproven while the first reload waits",
      { applied: null, startedAtMs: NOW_MS - 4000, ...after(passRecord(1, 500, deferred)) },
      {
        reasons: ["Nothing is proven to run yet (started 4 s ago)."],
        notes: ["A reload waits for the end of the reload interval, since 500 ms: backend api is new."],
      },
    ],
    [
      "several reasons at once",
      {
        applied: null,
        haproxy: { pid: null, version: null, sinceMs: NOW_MS - 12_000, workers: null },
        ...after(passRecord(1, 11_000, failed)),
      },
      {
        reasons: [
          "HAProxy has not answered for 12 s.",
          "It is not proven what HAProxy runs, reload has been failing for 11 s: no new worker in 5 s.",
        ],
      },
    ],
    [
      "a source is down",
      {
        sources: [
          liveSource(picture, { state: "down", sinceMs: NOW_MS - 12_000, error: "connect ECONNREFUSED" }),
        ],
      },
      {
        notes: [
          "Source etcd has been down for 12 s (connect ECONNREFUSED); its last picture stands, 60 s old, revision 4711.",
        ],
      },
    ],
    [
      "the gate opened without a source",
      {
        sources: [
          liveSource(picture),
          liveSource(picture, { name: "docker", state: "starting", snapshot: null, publishedAtMs: null }),
        ],
      },
      { notes: ["Source docker has not answered for 60 min."] },
    ],
    [
      "a source that need not exist does not",
      { sources: [liveSource(picture), liveSource(picture, { ...ABSENT, error: null })] },
      {},
    ],
    [
      "a source that need not exist is there and out of reach",
      { sources: [liveSource(picture), liveSource(picture, { ...ABSENT, error: "permission denied" })] },
      { notes: ["Source docker has not answered for 60 min (permission denied)."] },
    ],
    [
      "the candidate is refused",
      after(passRecord(7, 600_000, APPLIED), passRecord(8, 200_000, refused)),
      {
        notes: [
          "HAProxy goes on with what it has, the candidate is refused at check for 3 min: line 12: unknown keyword 'bakend'.",
        ],
      },
    ],
    [
      "the reload failed",
      after(passRecord(7, 600_000, APPLIED), passRecord(8, 200_000, failed)),
      {
        notes: ["HAProxy goes on with what it has, reload has been failing for 3 min: no new worker in 5 s."],
      },
    ],
    [
      "a failure that is over is no note",
      after(passRecord(7, 600_000, failed), passRecord(8, 100, { kind: "unchanged" })),
      {},
    ],
    [
      "a reload is put off",
      after(passRecord(7, 600, APPLIED), passRecord(8, 400, deferred)),
      { notes: ["A reload waits for the end of the reload interval, since 400 ms: backend api is new."] },
    ],
    [
      "long connections keep old workers",
      { haproxy: { pid: 4242, version: "3.0.11", sinceMs: NOW_MS - 3_600_000, workers: 6 } },
      {
        notes: [
          "5 old workers of HAProxy are alive: long connections keep them, hard-stop-after in the global section ends them.",
        ],
      },
    ],
    [
      "servers that vanished are held",
      {
        held: ["a", "b", "c", "d", "e", "f"].map((name, at) => {
          const held = heldServer(name);
          return { ...held, untilMs: held.untilMs - at * 60_000 };
        }),
      },
      {
        notes: [
          "6 servers vanished and are held while HAProxy's checks see them up, the first for 7 min at most: webserver/a, webserver/b, webserver/c, webserver/d, webserver/e and 1 more.",
        ],
      },
    ],
    [
      "a few old workers are normal",
      { haproxy: { pid: 4242, version: "3.0.11", sinceMs: NOW_MS - 3_600_000, workers: 5 } },
      {},
    ],
    [
      "entries are quarantined",
      {
        sources: ["etcd", "docker"].map((source) =>
          liveSource(
            snapshot({
              source,
              revision: "1",
              quarantined: ["a", "b"]
                .slice(source === "etcd" ? 0 : 1)
                .map((id) => ({ origin: { source, id, revision: "1" }, reason: "port 0" })),
            }),
          ),
        ),
      },
      { notes: ["Entries are quarantined and not served: docker 1, etcd 2."] },
    ],
  ];
  test.each(cases)("%s", (_, given, { reasons = [], notes = [] }) => {
    expect(readiness(healthyStatus(given))).toEqual({ ready: reasons.length === 0, reasons, notes });
  });

  test("keeps each sentence on one line, free of control characters and short", () => {
    const reason = `[ALERT] parsing\n\tline 3\u001b[31m\r\n${"x".repeat(5000)}`;
    const status = healthyStatus({ applied: null, ...after(passRecord(1, 10, { ...refused, reason })) });
    const [only = ""] = readiness(status).reasons;
    expect(only).toContain("[ALERT] parsing line 3 [31m xxx");
    expect(only).not.toMatch(/\p{Cc}/u);
    expect(only.length).toBeLessThan(1100);
  });
});

describe("spell", () => {
  const b: Outcome = { ...refused, reason: "another" };
  const cases: readonly [string, readonly PassRecord[], number | null][] = [
    ["no pass yet", [], null],
    [
      "the last pass was good",
      [passRecord(1, 900, refused), passRecord(2, 800, { kind: "unchanged" })],
      null,
    ],
    ["the first failure", [passRecord(1, 900, APPLIED), passRecord(2, 800, refused)], 800],
    [
      "reasons that vary with every pass",
      [passRecord(3, 900, refused), passRecord(4, 800, b), passRecord(5, 700, refused)],
      900,
    ],
    [
      "a deferred pass between is looked through",
      [passRecord(3, 900, refused), passRecord(4, 800, deferred), passRecord(5, 700, b)],
      900,
    ],
    ["a deferred pass at the end too", [passRecord(3, 900, refused), passRecord(4, 800, deferred)], 900],
    [
      "a success between ends it",
      [passRecord(3, 900, refused), passRecord(4, 800, APPLIED), passRecord(5, 700, refused)],
      700,
    ],
    [
      "a gap with another reason may hide a success",
      [passRecord(3, 900, refused), passRecord(6, 700, b)],
      700,
    ],
    [
      "a deferred pass after a gap shows nothing",
      [passRecord(3, 900, refused), passRecord(6, 700, deferred)],
      null,
    ],
  ];
  test.each(cases)("%s", (_, records, agoMs) => {
    const found = spell(healthyStatus(after(...records)), ["refused", "failed"]);
    expect(found && NOW_MS - found.sinceMs).toBe(agoMs);
  });

  test("counts a repeated failure from its first pass, though the repetitions are not in the list", () => {
    const status = { passes: [passRecord(3, 60_000, refused)], lastPass: passRecord(9, 1000, refused) };
    expect(spell(healthyStatus(status), ["refused"])?.sinceMs).toBe(NOW_MS - 60_000);
  });

  test("tells the latest of several failures", () => {
    const status = healthyStatus(after(passRecord(3, 900, refused), passRecord(4, 800, failed)));
    expect(spell(status, ["refused", "failed"])?.outcome).toBe(failed);
  });
});

describe("isAlive", () => {
  test.each([
    ["at the limit", MAX_SILENCE_MS, true],
    ["beyond it", MAX_SILENCE_MS + 1, false],
  ])("%s", (_, silentMs, alive) => {
    expect(isAlive({ silentMs })).toBe(alive);
  });
});

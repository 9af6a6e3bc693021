import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, type Decision, type Standing } from "../../src/core/decision.ts";
import { ownerText } from "../../src/core/owner.ts";
import type { Publication } from "../../src/core/publication.ts";
import { modelStore, type ModelStore } from "../support/model-store.ts";
import { LAYOUT as layout, publication } from "../support/test-registrar.ts";

const A: Standing = { host: "a", lease: "11" };
const B: Standing = { host: "b", lease: "22" };

function step(store: ModelStore, standing: Standing, wanted: readonly Publication[]): Decision {
  const decision = decide({ wanted, copy: store, standing, layout });
  for (const change of decision.changes) expect(store.commit(change)).toBe(true);
  return decision;
}

/** Decides and writes until nothing is left to do, which must be soon. */
function settle(store: ModelStore, standing: Standing, wanted: readonly Publication[]): Decision {
  for (let round = 0; round < 4; round++) {
    const decision = step(store, standing, wanted);
    if (decision.changes.length === 0) return decision;
  }
  throw new Error("it does not come to an end");
}

const WEB1 = publication("aa", "web-1", "127.0.0.1:8001");

describe("a decision", () => {
  test("names what it does", () => {
    const store = modelStore(layout);
    const kinds = (wanted: readonly Publication[]): string[] =>
      step(store, A, wanted).changes.map(({ kind }) => kind);
    expect(kinds([WEB1])).toEqual(["publish"]);
    expect(kinds([WEB1])).toEqual([]);
    expect(kinds([publication("aa", "web-1", "127.0.0.1:8001 weight=3")])).toEqual(["update"]);
    expect(kinds([publication("aa", "web-1", "127.0.0.1:8001 state=drain")])).toEqual(["drain"]);
    expect(kinds([])).toEqual(["remove"]);
    expect([...store.servers.keys(), ...store.owners.keys()]).toEqual([]);
  });

  test("a server that nobody drained is drained before it is removed", () => {
    const store = modelStore(layout);
    settle(store, A, [WEB1]);
    expect(step(store, A, []).changes.map(({ kind }) => kind)).toEqual(["drain"]);
    expect(store.value("/app/servers/web-1")).toBe("127.0.0.1:8001 state=drain");
    expect(step(store, A, []).changes.map(({ kind }) => kind)).toEqual(["remove"]);
  });

  test("each change can be made without the others, and not after somebody else's write", () => {
    const store = modelStore(layout);
    const { changes } = decide({
      wanted: [WEB1, publication("bb", "web-2", "127.0.0.1:8002")],
      copy: store,
      standing: A,
      layout,
    });
    store.put("/app/servers/web-1", "127.0.0.1:9999");
    expect(changes.map((change) => store.commit(change))).toEqual([false, true]);
  });

  test("a value that is no text is somebody else's, and a record that is none is nobody's", () => {
    const store = modelStore(layout);
    store.put("/app/owners/web-1", "{", "11");
    store.put("/app/servers/web-1", "127.0.0.1:9999", "33");
    expect(settle(store, A, [WEB1]).places.get(WEB1.id)).toBe("web-1-a");
    expect(store.value("/app/owners/web-1")).toBe("{");
  });

  test("names of one's own that are all taken are not published, and said so", () => {
    const store = modelStore(layout);
    for (const name of ["web-1", "web-1-a", "web-1-aa0000"]) store.put(`/app/servers/${name}`, "127.0.0.1:1");
    expect(settle(store, A, [WEB1]).doubts).toMatchObject([{ name: null, why: "taken" }]);
  });

  test("keys of an earlier lease of the same host are taken over", () => {
    const store = modelStore(layout);
    settle(store, { host: "a", lease: "10" }, [WEB1, publication("bb", "web-2", "127.0.0.1:8002")]);
    settle(store, A, [WEB1]);
    expect(store.servers.get("web-1")?.lease).toBe("11");
    expect(store.owners.get("web-1")?.lease).toBe("11");
    expect(store.servers.has("web-2")).toBe(false);
  });
});

/* What may happen to a store on which two hosts register and an operator works. */
const NAMES = ["web-1", "web-2", "api-1"] as const;
const wanted = fc.uniqueArray(
  fc.record({
    container: fc.constantFrom("aa", "bb", "cc", "dd"),
    name: fc.constantFrom(...NAMES),
    port: fc.integer({ min: 8001, max: 8003 }),
    drained: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 3 },
);
const happening = fc.oneof(
  fc.record({ kind: fc.constantFrom("a" as const, "b" as const), wanted }),
  fc.record({
    kind: fc.constant("operator" as const),
    name: fc.constantFrom(...NAMES),
    value: fc.option(fc.constantFrom("127.0.0.1:8001", "127.0.0.1:9", "no address")),
  }),
  fc.record({ kind: fc.constant("expire" as const), lease: fc.constantFrom("11", "22") }),
  fc.record({ kind: fc.constant("disown" as const), name: fc.constantFrom(...NAMES) }),
);

const publicationsOf = (host: string, list: typeof wanted extends fc.Arbitrary<infer T> ? T : never) =>
  list.map(({ container, name, port, drained }) =>
    publication(`${container}${host}`, name, `127.0.0.1:${port}${drained ? " state=drain" : ""}`),
  );

test("whatever happens: what is wanted and has a name is there once, and nothing of others is touched", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), (happenings) => {
      const store = modelStore(layout);
      const manual = new Map<string, string>();
      for (const one of happenings) {
        if (one.kind === "operator") {
          const key = `/app/servers/${one.name}`;
          if (one.value === null) store.remove(key);
          else store.put(key, one.value);
          if (one.value === null) manual.delete(key);
          else manual.set(key, one.value);
        } else if (one.kind === "expire") store.expire(one.lease);
        else if (one.kind === "disown") store.remove(`/app/owners/${one.name}`);
        else {
          const standing = one.kind === "a" ? A : B;
          const list = publicationsOf(one.kind, one.wanted);
          const others = foreign(store, standing);
          const decision = settle(store, standing, list);
          expect(foreign(store, standing)).toEqual(others);
          for (const [key, value] of manual) expect(store.value(key)).toBe(value);
          expectPublished(store, { standing, list, decision });
        }
      }
    }),
    { numRuns: 300 },
  );
});

/** The servers that are not this host's. */
function foreign(store: ModelStore, { host, lease }: Standing): unknown {
  const isOurs = (tail: string, itsLease: string): boolean => {
    const owner = store.owners.get(tail);
    return owner?.lease === itsLease && owner.value?.includes(`"host":"${host}"`) === true;
  };
  return [...store.servers]
    .filter(([tail, stored]) => stored.lease !== lease && !isOurs(tail, stored.lease))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function expectPublished(
  store: ModelStore,
  given: { standing: Standing; list: readonly Publication[]; decision: Decision },
): void {
  const { standing, list, decision } = given;
  const { host, lease } = standing;
  const unnamed = new Set(
    decision.doubts.filter(({ name }) => name === null).map(({ publication: { id } }) => id),
  );
  expect(decision.places.size + unnamed.size).toBe(list.length);
  for (const { id, value, container } of list) {
    const tail = decision.places.get(id);
    if (tail === undefined) continue;
    expect(store.servers.get(tail)).toMatchObject({ value, lease });
    expect(store.owners.get(tail)).toMatchObject({ value: ownerText({ host, container }), lease });
  }
  const ours = [...store.servers].filter(([, stored]) => stored.lease === lease);
  expect(ours.length).toBe(decision.places.size);
  expect(new Set(decision.places.values()).size).toBe(decision.places.size);
  for (const [, { value }] of ours) expect(list.some((one) => one.value === value)).toBe(true);
}

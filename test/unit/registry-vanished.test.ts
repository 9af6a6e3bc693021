import fc from "fast-check";
import { expect, test } from "vitest";
import type { RegistryLayout } from "../../src/core/registry-entry.ts";
import { registryPicture, type RegistryPicture } from "../../src/core/registry-picture.ts";

const LAYOUT: RegistryLayout = {
  source: "etcd",
  prefix: "/app/servers/",
  overridesPrefix: "/app/overrides/",
  watch: [],
  defaultBackend: "webserver",
};
const READY = "10.0.0.1:80";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Entry {
  readonly value: string;
  readonly isLeased: boolean;
}

const put = (picture: RegistryPicture, name: string, entry: Entry): void =>
  picture.put({
    key: bytes(`/app/servers/${name}`),
    value: bytes(entry.value),
    modRevision: "1",
    isLeased: entry.isLeased,
  });
const vanished = (picture: RegistryPicture): Record<string, string> =>
  Object.fromEntries(picture.snapshot("1").vanished.map(({ server, why }) => [server.name, why]));

/** The same in the plainest way: what is there, and what vanished and why. */
function model() {
  let entries = new Map<string, Entry>();
  const gone = new Map<string, string>();
  return {
    put: (name: string, entry: Entry) => {
      entries.set(name, entry);
      gone.delete(name);
    },
    remove: (name: string) => {
      const was = entries.get(name);
      entries.delete(name);
      if (was?.isLeased === true && was.value === READY) gone.set(name, "lease");
    },
    list: (now: ReadonlyMap<string, Entry>, isSameStore: boolean) => {
      for (const [name, { value, isLeased }] of entries) {
        if (now.has(name) || value !== READY || (isSameStore && !isLeased)) continue;
        gone.set(name, isSameStore ? "lease" : "store");
      }
      entries = new Map(now);
      for (const name of now.keys()) gone.delete(name);
    },
    entries: () => entries,
    gone: () => Object.fromEntries(gone),
  };
}

test("after any writes and lists it knows what vanished and why", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const entry = fc.record({
    value: fc.constantFrom(READY, `${READY} state=drain`, `${READY} state=maint`, "nonsense"),
    isLeased: fc.boolean(),
  });
  const changes = fc.dictionary(name, fc.option(entry), { maxKeys: 4 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), changes }),
    // Changes that are only seen by the next list of everything.
    fc.record({ kind: fc.constant("list" as const), changes, isSameStore: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const wanted = model();
      let picture = registryPicture(LAYOUT, { keepVanishedMs: 1 });
      for (const given of steps) {
        const all = Object.entries(given.changes);
        if (given.kind === "write") {
          for (const [at, now] of all) {
            if (now === null) picture.remove(bytes(`/app/servers/${at}`), 0);
            else put(picture, at, now);
            if (now === null) wanted.remove(at);
            else wanted.put(at, now);
          }
        } else {
          const now = new Map(wanted.entries());
          for (const [at, one] of all) {
            if (one === null) now.delete(at);
            else now.set(at, one);
          }
          picture = picture.successor();
          for (const [at, one] of now) put(picture, at, one);
          picture.complete({ isSameStore: given.isSameStore, nowMs: 0 });
          wanted.list(now, given.isSameStore);
        }
        expect(vanished(picture)).toEqual(wanted.gone());
        expect(picture.size).toBe(wanted.entries().size);
      }
    }),
  );
});

const LEASED: Entry = { value: READY, isLeased: true };

test("it remembers its server, its key, and when that was seen", () => {
  const picture = registryPicture(LAYOUT, { keepVanishedMs: 1000 });
  put(picture, "api/x", LEASED);
  const [server] = picture.snapshot("1").servers;
  picture.remove(bytes("/app/servers/api/x"), 42);
  const now = picture.snapshot("2");
  expect(now.servers).toEqual([]);
  expect(now.vanished).toEqual([
    { server, plain: { key: "/app/servers/api/x", value: READY }, why: "lease", sinceMs: 42 },
  ]);
  expect(now.vanished[0]?.server).toBe(server);
  put(picture, "b", LEASED);
  expect(picture.snapshot("3").vanished).toBe(now.vanished);
});

test("it forgets what vanished long ago, and keeps nothing when it is not asked to", () => {
  const picture = registryPicture(LAYOUT, { keepVanishedMs: 1000 });
  const never = registryPicture(LAYOUT);
  for (const [name, atMs] of [
    ["a", 0],
    ["b", 999],
    ["c", 1000],
  ] as const) {
    for (const one of [picture, never]) {
      put(one, name, LEASED);
      one.remove(bytes(`/app/servers/${name}`), atMs);
    }
  }
  expect(vanished(picture)).toEqual({ b: "lease", c: "lease" });
  expect(vanished(never)).toEqual({});
});

test("a list that breaks off changes nothing, and one of what it may have lost is named", () => {
  const picture = registryPicture(LAYOUT, { keepVanishedMs: 1000 });
  for (const name of ["a", "b"]) put(picture, name, LEASED);
  put(picture, "c", { value: READY, isLeased: false });
  picture.remove(bytes("/app/servers/a"), 1);
  const broken = picture.successor();
  put(broken, "a", LEASED);
  const next = picture.successor();
  expect(next.missing()).toEqual({ key: "/app/servers/c", modRevision: "1" });
  put(next, "c", { value: READY, isLeased: false });
  expect(next.missing()).toBeNull();
  next.complete({ isSameStore: true, nowMs: 2 });
  expect(vanished(next)).toEqual({ a: "lease", b: "lease" });
});

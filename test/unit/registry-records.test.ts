import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostRecordText, parseHostRecord } from "../../src/core/host-record.ts";
import { ownerText, parseOwner } from "../../src/core/owner.ts";
import { hostKey, keyTail, ownerKey, overrideKey, serverKey } from "../../src/core/registry-keys.ts";
import { parseServerKey } from "../../src/core/server-key.ts";
import { textFields } from "../../src/core/text-fields.ts";

const owner = { host: "a", container: "3f2a1b998877" };
const host = { host: "a", agent: "x1", version: "1.0.0" };

describe("records", () => {
  test("are read as they were written", () => {
    expect(ownerText(owner)).toBe('{"host":"a","container":"3f2a1b998877"}');
    expect(parseOwner(ownerText(owner))).toEqual({ ok: true, value: owner });
    expect(parseHostRecord(hostRecordText(host))).toEqual({ ok: true, value: host });
  });

  test("may say more than is known", () => {
    expect(parseOwner(JSON.stringify({ ...owner, since: 1 }))).toEqual({ ok: true, value: owner });
    expect(parseHostRecord(JSON.stringify({ ...host, lease: "1" }))).toEqual({ ok: true, value: host });
  });

  test("of another kind are refused with a reason", () => {
    expect(parseOwner("web\n")).toEqual({ ok: false, reason: '"web\\n" is no record of an owner' });
    expect(parseHostRecord("{}")).toEqual({ ok: false, reason: '"{}" is no record of a host' });
  });
});

test.each([
  "",
  "null",
  "7",
  '"host"',
  "[]",
  '["a"]',
  '{"host":7}',
  '{"host":""}',
  '{"host":null}',
  '{"host":"a\\nb"}',
  '{"host":"ü"}',
  `{"host":"${"a".repeat(257)}"}`,
  '{"__proto__":{"host":"a"}}',
])("no fields in %.40j", (text) => {
  expect(textFields(text, ["host"])).toBeNull();
});

test("no inherited fields either", () => {
  expect(textFields("{}", ["constructor", "toString"])).toBeNull();
  expect(textFields('{"constructor":"c"}', ["constructor"])).toEqual({ constructor: "c" });
});

test("any JSON: texts that are short and printable, or nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.dictionary(fc.constantFrom("a", "b"), fc.string()).map((one) => JSON.stringify(one)),
      ),
      (text) => {
        const fields = textFields(text, ["a"]);
        if (fields !== null) expect(fields.a).toMatch(/^[\x20-\x7E]{1,256}$/);
      },
    ),
  );
});

describe("keys", () => {
  const layout = {
    prefix: "/app/servers/",
    overridesPrefix: "/app/overrides/",
    ownersPrefix: "/app/owners/",
    defaultBackend: "webserver",
  };

  test("have the same tail under each prefix", () => {
    const id = { backend: "api", name: "web-1" };
    expect([serverKey(id, layout), overrideKey(id, layout), ownerKey(id, layout)]).toEqual([
      "/app/servers/api/web-1",
      "/app/overrides/api/web-1",
      "/app/owners/api/web-1",
    ]);
    expect(keyTail({ backend: "webserver", name: "web-1" }, layout)).toBe("web-1");
    expect(hostKey("node1.example.org", layout)).toBe("/app/owners/@node1.example.org");
  });

  test("are read as they were written, and no server's is a host's", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
    const ids = fc.record({ backend: fc.oneof(name, fc.constant("webserver")), name });
    fc.assert(
      fc.property(ids, (id) => {
        expect(parseServerKey({ key: serverKey(id, layout), ...layout })).toEqual({ ok: true, value: id });
        expect(ownerKey(id, layout)).not.toMatch(/@/);
      }),
    );
    const key = hostKey("a", layout);
    expect(parseServerKey({ key, ...layout, prefix: layout.ownersPrefix }).ok).toBe(false);
  });
});

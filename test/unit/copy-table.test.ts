import { expect, test } from "vitest";
import { copyTable } from "../../src/registration/copy-table.ts";

const at = (modRevision: string) => ({ value: "10.0.0.1:80", modRevision, lease: "7" });
const OWN = { expectEvent: true };

test("our own writes are known before the watch tells of them, and what it tells late changes nothing", () => {
  const { entries, put, remove } = copyTable();
  put("web1", at("4"));
  put("web1", at("6"), OWN);
  put("web1", at("5"));
  expect(entries.get("web1")).toEqual(at("6"));
  remove("web1", "8", OWN);
  put("web1", at("7"));
  expect([...entries.keys()]).toEqual([]);
  put("web1", at("9"));
  expect(entries.get("web1")).toEqual(at("9"));
});

test("what the watch tells before our own write has its answer stands", () => {
  const { entries, put, remove } = copyTable();
  put("web1", at("5"));
  remove("web1", "6");
  put("web1", at("5"), OWN);
  expect([...entries.keys()]).toEqual([]);
});

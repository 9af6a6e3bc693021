import { expect, test } from "vitest";
import { keyTable } from "../../src/core/key-table.ts";

test("it is read like a map, in the order given", () => {
  const pairs = [
    { key: "/b", value: "1" },
    { key: "/a", value: "2" },
  ];
  const [table, map] = [keyTable(pairs), new Map(pairs.map(({ key, value }) => [key, value]))];
  expect(table.size).toBe(2);
  expect([table.get("/a"), table.get("/c"), table.has("/b"), table.has("/c")]).toEqual([
    "2",
    undefined,
    true,
    false,
  ]);
  expect([...table]).toEqual([...map]);
  expect([[...table.keys()], [...table.values()]]).toEqual([[...map.keys()], [...map.values()]]);
  const visited: string[] = [];
  table.forEach((value, key) => visited.push(`${key}=${value}`));
  expect(visited).toEqual(["/b=1", "/a=2"]);
});

import { describe, expect, it } from "vitest";
import { readOptions } from "../../bench/options.ts";
import { quantile, type Row, summarise, table } from "../../bench/rows.ts";
import { readyServers } from "../../bench/servers-state.ts";

const row = (given: Partial<Row>): Row => ({
  figure: "walk",
  who: "snail",
  unit: "ms",
  values: [1],
  floor: null,
  ...given,
});

describe("quantile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  it.each([
    [hundred, 0.5, 50],
    [hundred, 0.95, 95],
    [hundred, 0.99, 99],
    [[10, 9, 30], 0.5, 10],
    [[10, 9, 30], 0.99, 30],
    [[7], 0.5, 7],
  ])("of %j at %d is %d", (values, part, expected) => {
    expect(quantile(values, part)).toBe(expected);
  });

  it("of nothing is not a number", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("summarise", () => {
  it("compares medians with the floor of the same figure", () => {
    const rows = [
      row({ values: [30, 10, 20], floor: "hare" }),
      row({ who: "hare", values: [4, 5, 6], floor: "hare" }),
      row({ figure: "sleep", who: "hare", values: [1] }),
    ];
    expect(summarise(rows).map(({ n, p50, p99, ratio }) => [n, p50, p99, ratio])).toEqual([
      [3, 20, 30, 4],
      [3, 5, 6, 1],
      [1, 1, 1, null],
    ]);
  });

  it("refuses a floor that nobody measured", () => {
    expect(() => summarise([row({ floor: "hare" })])).toThrow('the floor "hare"');
  });
});

describe("table", () => {
  it("names a figure once and leaves out percentiles of a single value", () => {
    const rows = summarise([
      row({ values: [5, 150], floor: "hare" }),
      row({ who: "hare", values: [2.54], floor: "hare" }),
    ]);
    expect(table(rows).split("\n")).toEqual([
      "             n  p50  p95  p99      ratio",
      "walk  snail  2  5.0  150  150  ms  1.97x",
      "      hare   1  2.5            ms  1.00x",
    ]);
  });
});

describe("readyServers", () => {
  it("counts servers that are up and in no maintenance, each once", async () => {
    const line = (name: string, state: string): string =>
      `3 web 1 ${name} 127.0.0.1 ${state} 1 1 5 1 0 0 0 0 0 0 - 9 -`;
    const lines = [
      line("a", "2 0"),
      line("a", "2 0"),
      line("b", "0 0"),
      line("c", "2 1"),
      line("d", "2 0"),
      "",
    ];
    const answer = [
      "1",
      "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state",
      ...lines,
    ].join("\n");
    const show = (asked: string): Promise<string> =>
      Promise.resolve(asked === "show servers state web" ? answer : "");
    expect(await readyServers({ show }, "web")).toBe(2);
  });
});

describe("readOptions", () => {
  const parts = (...args: string[]): unknown => {
    const options = readOptions(args);
    return typeof options === "string" ? options : options.parts;
  };

  it("takes all parts, or those that are named, in the order of the table", () => {
    expect(parts()).toHaveLength(7);
    expect(parts("--only", "storm, reaction")).toEqual(["reaction", "storm"]);
  });

  it("says what parts there are", () => {
    expect(parts("--only", "strom")).toBe(
      "--only strom: there is no such part, but reaction, containers, start, scale, storm, spread, agent",
    );
  });
});

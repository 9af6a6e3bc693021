import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createLogger, type LogOptions } from "../../src/observe/log.ts";
import { textLine } from "../../src/observe/log-text.ts";

/** A logger whose lines are kept; `broken` makes it lose them. */
function lab(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const state = { broken: false };
  const write = (line: string): boolean => {
    if (!state.broken) lines.push(line);
    return !state.broken;
  };
  const log = createLogger({ level: "debug", format: "json", destination: { write }, ...options });
  const json = (): Record<string, unknown>[] =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, json, state };
}

describe("JSON", () => {
  test("has level, time, fields and message, and nothing else", () => {
    const { log, json, lines } = lab();
    log.info({ pass: 7, servers: 2 }, "applied");
    expect(json()).toEqual([
      { level: "info", time: expect.any(String), pass: 7, servers: 2, msg: "applied" },
    ]);
    const { time } = json()[0] as { time: string };
    expect(new Date(time).toISOString()).toBe(time);
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(10_000);
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  });

  test.each([
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ] as const)("level %s lets through %j", (level, expected) => {
    const { log, json } = lab({ level });
    for (const name of ["debug", "info", "warn", "error"] as const) log[name]({}, "x");
    expect(json().map((line) => line["level"])).toEqual(expected);
  });

  test("a child adds its fields, and its child more", () => {
    const { log, json } = lab();
    log.child({ source: "etcd" }).child({ attempt: 2 }).warn({ pass: 7 }, "down");
    expect(json()[0]).toMatchObject({ source: "etcd", attempt: 2, pass: 7, msg: "down" });
  });

  test("an error has its stack, its code and its causes, and no other fields", () => {
    const { log, json } = lab();
    const inner = Object.assign(new TypeError("connect ECONNREFUSED"), {
      code: "ECONNREFUSED",
      password: "hunter2",
    });
    log.error({ err: new Error("etcd is gone", { cause: inner }) }, "trouble");
    expect(json()[0]?.["err"]).toEqual({
      type: "Error",
      message: "etcd is gone",
      stack: expect.stringMatching(/^Error: etcd is gone\n +at /),
      cause: {
        type: "TypeError",
        message: "connect ECONNREFUSED",
        code: "ECONNREFUSED",
        stack: expect.stringContaining("TypeError: connect ECONNREFUSED"),
      },
    });
  });

  test.each([
    ["a frozen error", Object.freeze(new Error("cold")), { message: "cold" }],
    ["a string", "just words", "just words"],
    ["nothing", null, null],
  ])("%s that was thrown is shown as well", (_, err, shown) => {
    const { log, json } = lab();
    log.error({ err }, "trouble");
    const found = json()[0]?.["err"];
    if (typeof shown === "object" && shown !== null) expect(found).toMatchObject(shown);
    else expect(found).toBe(shown);
  });

  test("survives errors and fields that refer to themselves", () => {
    const { log, json } = lab();
    const error = new Error("round");
    error.cause = error;
    const field: Record<string, unknown> = {};
    field["self"] = field;
    log.error({ err: error, field, big: 1n }, "trouble");
    expect(json()[0]).toMatchObject({ msg: "trouble", err: { message: "round" } });
  });
});

describe("text", () => {
  const at = new Date(2026, 7, 22, 9, 5, 3, 7);
  const line = (fields: Record<string, unknown>): string =>
    textLine(JSON.stringify({ level: "info", time: at.toISOString(), ...fields }));

  test.each([
    [{ msg: "applied", pass: 7, way: "reload" }, "09:05:03.007 INFO  applied pass=7 way=reload"],
    [{ level: "error", msg: "x", reason: "two words" }, '09:05:03.007 ERROR x reason="two words"'],
    [
      { msg: "x", empty: "", quote: 'a"b', equals: "a=b" },
      '09:05:03.007 INFO  x empty="" quote="a\\"b" equals="a=b"',
    ],
    [
      { msg: "x", timings: { merge: 0.1 }, on: true, no: null },
      '09:05:03.007 INFO  x timings={"merge":0.1} on=true no=null',
    ],
    [
      { msg: "x", err: { message: "outer", stack: "…", cause: { message: "inner", stack: "…" } } },
      '09:05:03.007 INFO  x err="outer: inner"',
    ],
    [
      { msg: "x", err: { message: "outer", stack: "…", cause: "words" } },
      '09:05:03.007 INFO  x err="outer: words"',
    ],
  ])("%j", (fields, expected) => {
    expect(line(fields)).toBe(`${expected}\n`);
  });

  test("neither breaks the line nor steers the terminal", () => {
    const evil = 'a\n09:00:00.000 INFO  forged\r\u001b[31m\u009b31m\u2028\u202e\u007f"';
    const shown = line({
      msg: evil,
      plain: evil,
      [evil]: 1,
      deep: { [evil]: [evil] },
      err: { message: evil, stack: evil },
    });
    expect(shown.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    expect(shown).toContain("\\u001b[31m\\u009b31m\\u2028\\u202e\\u007f");
  });

  test("comes from a logger with that format", () => {
    const { log, lines } = lab({ format: "text" });
    log.child({ source: "etcd" }).warn({ err: new Error("gone", { cause: new Error("why") }) }, "down");
    expect(lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} WARN  down source=etcd err="gone: why"\n$/),
    ]);
  });
});

test("lost lines are counted, and told when one gets through again", () => {
  const { log, json, state } = lab();
  log.info({}, "one");
  state.broken = true;
  for (const _ of [1, 2, 3]) log.info({}, "lost");
  state.broken = false;
  log.info({}, "two");
  log.info({}, "three");
  expect(json().map(({ msg, lines }) => [msg, lines])).toEqual([
    ["one", undefined],
    ["two", undefined],
    ["log lines were lost", 3],
    ["three", undefined],
  ]);
});

describe("standard output of a real process", () => {
  const log = JSON.stringify(fileURLToPath(new URL("../../src/observe/log.ts", import.meta.url)));
  /** Logs a line for each line of its input, until that ends; then it exits with 7 to show that it got there. */
  const program = `
    import { createInterface } from "node:readline";
    const { createLogger } = await import(${log});
    const logger = createLogger({ level: "info", format: "json" });
    logger.info({}, "started");
    for await (const line of createInterface({ input: process.stdin })) logger.info({}, line);
    process.exit(7);
  `;
  const start = () => spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "pipe" });

  test("has each line before the next thing happens, a kill too", async () => {
    const child = start();
    child.stdout.setEncoding("utf8");
    const [first] = (await once(child.stdout, "data")) as [string];
    child.kill("SIGKILL");
    expect(JSON.parse(first)).toMatchObject({ msg: "started" });
    await once(child, "close");
  });

  test("may break: the process lives on, and its lines go to standard error", async () => {
    const child = start();
    await once(child.stdout, "data");
    child.stdout.destroy();
    await once(child.stdout, "close");
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    child.stdin.end("one\ntwo\n");
    const [code] = (await once(child, "close")) as [number];
    const told = errors
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect([code, told]).toEqual([7, ["one", "two"]]);
  });

  test("may break together with standard error", async () => {
    const child = start();
    await once(child.stdout, "data");
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin.end("one\ntwo\n");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(7);
  });
});

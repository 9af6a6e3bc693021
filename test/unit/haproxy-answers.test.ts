import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { abilitiesOf } from "../../src/core/abilities.ts";
import type { Operation } from "../../src/core/operation.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { adjust } from "../../src/haproxy/adjust.ts";
import { examineHaproxy } from "../../src/haproxy/doctor.ts";
import { readHealth } from "../../src/haproxy/health.ts";
import { leaving } from "../../src/haproxy/leaving.ts";
import { readInfo, readRunning } from "../../src/haproxy/running.ts";
import { ask } from "../../src/haproxy/socket.ts";
import { tempDir } from "../support/temp-dir.ts";

type Answer = string | Buffer;

/** Something in HAProxy's place that answers every line; "silence" says nothing, "drip" one byte after the other. */
async function fakeSocket(
  answer: Answer | ((command: string) => Answer),
): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = await tempDir();
  const path = join(dir.path, "h.sock");
  const server = createServer((socket) => {
    let timer: NodeJS.Timeout | undefined;
    const drip = (): void => void (timer = setInterval(() => socket.write("x"), 5));
    socket.on("error", () => undefined).on("close", () => clearInterval(timer));
    socket.on("data", (command) => {
      if (answer === "drip") drip();
      else if (answer !== "silence")
        socket.end(typeof answer === "function" ? answer(String(command)) : answer);
    });
  }).listen(path);
  await once(server, "listening");
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const MB = 1024 * 1024;
const STATE = "1\n# be_id be_name srv_id srv_name\n";
const ANSWERS: readonly (readonly [what: string, answer: Answer])[] = [
  ["nothing", ""],
  ["half a line", "Name: HAProxy\nVersion: 3.0.11\nPi"],
  ["bytes", Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7) % 256))],
  ["10 MB of digits", "9".repeat(10 * MB)],
  ["10 MB of words", "1 a 2 b ".repeat(1.25 * MB)],
  ["10 MB of short lines", "1 webserver 1 a\n".repeat(0.6 * MB)],
  ["more than is kept", Buffer.alloc(65 * MB, "Pid: 1\n")],
  ["a pid that is none", "Name: HAProxy\nVersion: 3.0.11\nPid: -1\n"],
  ["another format", "Version: 3.0.11\nPid: 1\n2\n# be_id be_name\n"],
  ["another program", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  ["lines of a terminal", `Version: \u001b[2J\nPid: 4242\n\n${STATE}1 webserver 1 \u001b[31m 10.0.0.1 2`],
];

const config = (servers: string) => readConfig(`backend webserver\n${servers}`);
const [before, after] = [config("  server a 10.0.0.1:80\n"), config("  server a 10.0.0.1:80 weight 5\n")];

/** Everything that reads what the worker answers. */
const READERS: Readonly<Record<string, (socketPath: string) => Promise<unknown>>> = {
  "who it is": readInfo,
  "its servers": readRunning,
  "its servers of one backend": (path) => readRunning(path, new Set(["webserver"])),
  "their health": (path) => readHealth(path, new Set(["webserver"])),
  "a change": changeWeight,
};

function changeWeight(socketPath: string): Promise<unknown> {
  const operations: readonly Operation[] = [{ kind: "weight", backend: "webserver", server: "a", weight: 5 }];
  const gone = leaving({ socketPath, timeoutMs: 1000, monotonicMs: () => 0 });
  const given = { operations, before, after, pid: 4242, version: "3.0.11" };
  return adjust(given, { socketPath, leaving: gone });
}

describe("HAProxy's socket answers with", () => {
  test.each(ANSWERS)("%s: a reason in a few words, within the time", async (what, answer) => {
    await using fake = await fakeSocket(answer);
    const reasons: string[] = [];
    for (const [reader, read] of Object.entries(READERS)) {
      const started = performance.now();
      const problem = await read(fake.path).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      // An answer that says who it is, and lists no servers that fit, is one.
      if (problem !== null) expect(problem, `${what}, ${reader}`).toBeInstanceOf(Error);
      if (problem !== null) reasons.push((problem as Error).message);
      expect(performance.now() - started, `${what}, ${reader}`).toBeLessThan(15_000);
    }
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason.length).toBeLessThan(7000);
  });

  test.each(["silence", "drip"])("%s: it is not waited for any longer than was said", async (answer) => {
    await using fake = await fakeSocket(answer);
    const asking = ask({ path: fake.path, command: "show info", timeoutMs: 100 });
    await expect(asking).rejects.toThrow(/: no answer to "show info" within 100 ms$/);
  });

  test("such things: the doctor says so", async () => {
    for (const [what, answer] of ANSWERS) {
      await using fake = await fakeSocket(answer);
      const findings = await examineHaproxy({
        binary: "/none",
        configPath: "/none/x",
        socketPath: fake.path,
        masterSocketPath: fake.path,
        pid: null,
        kill: () => undefined,
      });
      for (const finding of findings) expect(JSON.stringify(finding).length, what).toBeLessThan(500);
    }
  });
});

test("an endless answer to a change is told in a few words", async () => {
  const row = "1 webserver 1 a 10.0.0.1 2 0 5 1 1 6 3 4 0 0 0 0 - 80 -";
  const running = `Version: 3.0.11\nPid: 4242\n\n${STATE}${row}\n`;
  const right = async (answer: string): Promise<unknown> => {
    await using fake = await fakeSocket((command) => (command.startsWith("show info") ? running : answer));
    return await changeWeight(fake.path);
  };
  expect(await right("\n")).toMatchObject({ pid: 4242 });
  const lines = Array.from({ length: 100_000 }, (_, n) => `what is ${n}?`).join("\n");
  for (const answer of ["x".repeat(10 * MB), lines]) {
    const { message } = await right(answer).then(
      () => new Error("it went well"),
      (thrown: unknown) => thrown as Error,
    );
    expect(message).toMatch(/^(?:x{300}|what is 0\?; what is 1\?)/);
    expect(message.length).toBeLessThan(7000);
  }
});

test("a version that nobody knows is one that can be told little, not a crash", () => {
  for (const version of ["", "9.9", "abc", "-1.0", "3", "\0", "9".repeat(100_000)])
    expect(() => abilitiesOf(version)).not.toThrow();
});

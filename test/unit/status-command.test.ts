import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { readCommandLine } from "../../src/command-line.ts";
import { status } from "../../src/commands/status.ts";
import { readConfig } from "../../src/config.ts";
import { askStatus } from "../../src/observe/ask-status.ts";
import { daemonRoutes } from "../../src/observe/daemon-routes.ts";
import { startHttp } from "../../src/observe/http.ts";
import { statusJson } from "../../src/observe/status-json.ts";
import type { Status } from "../../src/core/status.ts";
import { freePort } from "../support/free-port.ts";
import { nullLogger } from "../support/null-logger.ts";
import { healthyStatus } from "../support/status.ts";

/** Rollcall's own server with this status, on a free port. */
async function serve(given: Status, host = "127.0.0.1") {
  const metrics = { text: () => Promise.resolve(""), contentType: "text/plain" };
  const http = await startHttp({
    host,
    port: 0,
    routes: daemonRoutes({ status: () => given, metrics }),
    log: nullLogger,
  });
  const [, port = ""] = /:([0-9]+)$/.exec(http.address) ?? [];
  return { port, [Symbol.asyncDispose]: () => http.close() };
}

/** Some other server. Code 0 = it cuts the connection; body null = it takes the request and says nothing. */
async function other(code: number, body: string | null) {
  const answer = (response: ServerResponse): void => {
    if (code === 0) response.destroy();
    else if (body !== null) response.writeHead(code).end(body);
  };
  const server = createServer((_request, response) => answer(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

/** Runs the command as main.ts does. */
async function run(...args: string[]): Promise<{ code: number; printed: string }> {
  const typed = readCommandLine(["status", ...args], [status]);
  if (typed.kind !== "command") throw new Error(JSON.stringify(typed));
  const { config } = readConfig({ flags: typed.options, env: {}, readFile: () => null });
  let printed = "";
  const code = await status.run({
    config,
    args: typed.args,
    flags: typed.flags,
    env: {},
    log: nullLogger,
    print: (text) => void (printed += text),
    signal: new AbortController().signal,
    kill: () => undefined,
    nodeVersion: "24.0.0",
  });
  return { code, printed };
}

const HEALTHY = healthyStatus();

describe("rollcall status", () => {
  it("asks at the address of http, or at --url", async () => {
    await using daemon = await serve(HEALTHY);
    const { port } = daemon;
    for (const flag of [
      ["--http", `127.0.0.1:${port}`],
      ["--url", `127.0.0.1:${port}`],
      ["--http", "off", "--url", `http://127.0.0.1:${port}/`],
      ["--url", `http://127.0.0.1:${port}/api/status`],
    ]) {
      const { code, printed } = await run(...flag);
      expect(code).toBe(0);
      expect(printed).toMatch(/^ready\n\nRollcall {3}1\.2\.3 at http:\/\/127\.0\.0\.1:/);
      expect(printed).toContain("because backend webserver:12 servers: +web1");
    }
  });

  it("asks a daemon that listens on all addresses on this machine", async () => {
    await using daemon = await serve(HEALTHY, "0.0.0.0");
    expect((await run("--http", `*:${daemon.port}`)).code).toBe(0);
    expect((await run("--http", `0.0.0.0:${daemon.port}`)).code).toBe(0);
  });

  it("prints the daemon's JSON as it is with --json; exit code 1 when it is not ready", async () => {
    const sick = healthyStatus({ haproxy: { ...HEALTHY.haproxy, pid: null } });
    await using daemon = await serve(sick);
    const answer = await run("--json", "--url", `127.0.0.1:${daemon.port}`);
    expect(answer).toEqual({ code: 1, printed: `${JSON.stringify(statusJson(sick))}\n` });
    expect((await run("--url", `127.0.0.1:${daemon.port}`)).printed).toMatch(
      /^not ready\n {2}HAProxy has not/,
    );
  });

  it("says what to do when it cannot ask", async () => {
    const port = await freePort();
    await expect(run("--http", `127.0.0.1:${port}`)).rejects.toThrow(
      /^http:\S+:\d+\/api\/status: nothing listens there: "rollcall run" does not run, or listens elsewhere; --url or the option http/,
    );
    await expect(run("--http", "off")).rejects.toThrow(/^the option http is off, .* --url/);
    await using server = await other(0, "");
    await expect(run("--url", server.url)).rejects.toThrow(/\/api\/status: socket hang up; --url or/);
  });

  it.each([
    [404, "not here", "answered 404; something else seems to listen there"],
    [302, "", "answered 302; something else"],
    [200, "<html>", "answered, but not as Rollcall does; something else"],
    [200, "null", "answered, but not as Rollcall does; something else"],
    [200, '{"ready":true}', "answered, but not as Rollcall does; something else"],
    [500, "internal error", "answered 500; its log says more"],
  ])("recognises an answer that is not Rollcall's: %i %s", async (code, body, message) => {
    await using server = await other(code, body);
    await expect(run("--url", server.url)).rejects.toThrow(message);
  });

  it("does not wait for ever", async () => {
    await using server = await other(200, null);
    const { signal } = new AbortController();
    await expect(askStatus({ url: server.url, signal, timeoutMs: 50 })).rejects.toThrow(
      /no whole answer within 0\.05 s; --url/,
    );
  });

  it.each([
    [["--last", "0"], '--last: "0" is not a number from 1 to 100'],
    [["--last", "1e1"], '--last: "1e1" is not a number from 1 to 100'],
    [["--url", "ftp://x"], '--url: "ftp://x" is not a URL like http://127.0.0.1:8405'],
    [["--url", "http://me:secret@x"], "--url: a password does not belong into a URL"],
    [["--lst", "3"], "--lst: no such option"],
  ])("is wrong usage with %j", (args, problem) => {
    expect(readCommandLine(["status", ...args], [status])).toEqual({
      kind: "usage",
      problems: [problem],
      command: status,
    });
  });
});

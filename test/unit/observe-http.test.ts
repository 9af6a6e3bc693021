import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { snapshot } from "../../src/core/snapshot.ts";
import type { Status } from "../../src/core/status.ts";
import type { Logger } from "../../src/lib/logger.ts";
import { daemonRoutes } from "../../src/observe/daemon-routes.ts";
import { type HttpServer, startHttp } from "../../src/observe/http.ts";
import { MAX_SILENCE_MS } from "../../src/observe/liveness.ts";
import { metrics } from "../../src/observe/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { parseExposition } from "../support/exposition.ts";
import { nullLogger } from "../support/null-logger.ts";
import { healthyStatus, liveSource, NOW_MS, statusServer } from "../support/status.ts";

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface LabOptions {
  readonly status?: () => Status;
  readonly clientTimeoutMs?: number;
  readonly log?: Logger;
}

async function start(options: LabOptions = {}) {
  const { status = () => healthyStatus(), log = nullLogger, ...rest } = options;
  const server = await startHttp({
    host: "127.0.0.1",
    port: 0,
    routes: daemonRoutes({ status, metrics: metrics({ status }) }),
    log,
    ...rest,
  });
  open.push(server);
  const url = `http://${server.address}`;
  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(url + path, init);
    return { code: answer.status, headers: answer.headers, text: await answer.text() };
  };
  return { ...server, get };
}

/** A connection that says `text` and nothing more; `received` is what came back so far. */
async function raw(
  address: string,
  text: string,
): Promise<{ socket: Socket; received(): string; ended: Promise<void> }> {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (received += chunk));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  socket.write(text);
  return { socket, received: () => received, ended };
}

describe("endpoints", () => {
  test("/ lists what there is", async () => {
    const { code, text } = await (await start()).get("/");
    expect(code).toBe(200);
    for (const path of ["/livez", "/readyz", "/metrics", "/api/status"]) expect(text).toContain(path);
  });

  test("/readyz says ready, with notes", async () => {
    const sources = [
      liveSource(snapshot({ source: "etcd", revision: "7", servers: [statusServer("web1")] }), {
        state: "down",
        sinceMs: NOW_MS - 5000,
        error: "no quorum",
      }),
    ];
    const { code, text } = await (await start({ status: () => healthyStatus({ sources }) })).get("/readyz");
    expect([code, text]).toEqual([
      200,
      "ready\nnote: Source etcd has been down for 5 s (no quorum); its last picture stands, 60 s old, revision 7.\n",
    ]);
  });

  test("/readyz says why not", async () => {
    const haproxy = { pid: null, version: null, sinceMs: NOW_MS - 5000, workers: null };
    const { code, text } = await (
      await start({ status: () => healthyStatus({ haproxy }) })
    ).get("/readyz?verbose");
    expect([code, text]).toEqual([503, "not ready\nHAProxy has not answered for 5 s.\n"]);
  });

  test("/livez follows the loop", async () => {
    const holder = { status: healthyStatus() };
    const { get } = await start({ status: () => holder.status });
    expect(await get("/livez")).toMatchObject({ code: 200, text: "alive\n" });
    holder.status = healthyStatus({ silentMs: MAX_SILENCE_MS + 1 });
    expect(await get("/livez")).toMatchObject({
      code: 503,
      text: expect.stringMatching(/^not alive\n.*5 minutes/),
    });
  });

  test("/metrics is what Prometheus reads", async () => {
    const { code, headers, text } = await (await start()).get("/metrics");
    expect(code).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(parseExposition(text).map(({ name }) => name)).toContain("rollcall_ready");
  });

  test("/api/status is JSON", async () => {
    const { code, headers, text } = await (await start()).get("/api/status");
    expect([code, headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(JSON.parse(text)).toMatchObject({
      version: "1.2.3",
      ready: true,
      backends: [{ name: "webserver" }],
    });
  });

  test.each([
    "/nothing",
    "/livez/",
    "//livez",
    "/api/status/../../livez",
    "/%00",
    "/<script>",
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "http://127.0.0.1/livez",
  ])("%s is not there, and is not repeated", async (path) => {
    const { address } = await start();
    const { received, ended } = await raw(
      address,
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
    );
    await ended;
    expect(received()).toMatch(/^HTTP\/1\.1 404 /);
    expect(received()).toContain("/readyz\n");
    expect(received()).not.toContain("script");
  });
});

describe("every answer", () => {
  test.each(["/", "/readyz", "/metrics", "/api/status", "/nothing"])("%s has safe headers", async (path) => {
    const { headers } = await (await start()).get(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect(headers.has("access-control-allow-origin")).toBe(false);
  });

  test("HEAD has the headers of GET and no body", async () => {
    const { get } = await start();
    const [head, whole] = [await get("/api/status", { method: "HEAD" }), await get("/api/status")];
    expect([head.code, head.text]).toEqual([200, ""]);
    expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(whole.text)));
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is refused", async (method) => {
    const { code, headers } = await (await start()).get("/api/status", { method });
    expect([code, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("an error of ours is logged, and not shown", async () => {
    const logged: unknown[] = [];
    const status = (): Status => {
      throw new Error("secret detail");
    };
    const { get } = await start({
      status,
      log: { ...nullLogger, error: (fields) => void logged.push(fields) },
    });
    for (const path of ["/readyz", "/livez", "/metrics", "/api/status"]) {
      expect(await get(path)).toMatchObject({ code: 500, text: "internal error, see Rollcall's log\n" });
    }
    expect(logged).toHaveLength(4);
    expect(logged[0]).toMatchObject({ err: new Error("secret detail"), path: "/readyz" });
    expect((await get("/")).code).toBe(200);
  });
});

describe("bad clients", () => {
  test.each([
    ["that never ends its headers", "GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: "],
    ["that says nothing", ""],
  ])("one %s is cut off", async (_, text) => {
    const { address } = await start({ clientTimeoutMs: 200 });
    const { ended } = await raw(address, text);
    await eventually(() => ended, { timeoutMs: 5000 });
  });

  test("one that trickles its headers is cut off all the same", async () => {
    const { address } = await start({ clientTimeoutMs: 300 });
    const { socket, ended, received } = await raw(address, "GET / HTTP/1.1\r\nhost: localhost\r\n");
    const trickle = setInterval(() => socket.write("a: b\r\n"), 50);
    try {
      await eventually(() => ended, { timeoutMs: 5000 });
      expect(received()).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(trickle);
    }
  });

  test("one that does not read its answer is cut off", async () => {
    const servers = Array.from({ length: 10_000 }, (_, index) => statusServer(`web${index}`));
    const status = healthyStatus({
      sources: [liveSource(snapshot({ source: "etcd", revision: "1", servers }))],
    });
    const { address } = await start({ clientTimeoutMs: 300, status: () => status });
    // Twenty answers of 2 MB are more than the buffers of both ends take.
    const request = "GET /api/status HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const { socket, ended, received } = await raw(address, "");
    socket.pause();
    socket.write(request.repeat(20));
    // A paused client sees the cut only when it writes; it does so less often than the server's patience lasts.
    const probe = (): void => {
      socket.write(request);
      expect(socket.destroyed).toBe(true);
    };
    await eventually(probe, { everyMs: 500 });
    await ended;
    expect(received().length).toBeLessThan(20 * 1_000_000);
  });

  test("headers without end are refused", async () => {
    const { address } = await start();
    const { received, ended } = await raw(
      address,
      `GET / HTTP/1.1\r\nhost: localhost\r\na: ${"b".repeat(20_000)}`,
    );
    await ended;
    expect(received()).toMatch(/^HTTP\/1\.1 431 /);
  });

  test.each([
    ["GET", 413, "content-length: 1000000000"],
    ["GET", 413, "transfer-encoding: chunked"],
    ["POST", 405, "content-length: 1000000000"],
  ])("a body is not waited for: %s is %d", async (method, code, header) => {
    const { address } = await start();
    const { received, ended } = await raw(
      address,
      `${method} /livez HTTP/1.1\r\nhost: localhost\r\n${header}\r\n\r\n`,
    );
    await eventually(() => ended, { timeoutMs: 5000 });
    expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
    expect(received()).toMatch(/connection: close/i);
  });

  test("what is no HTTP is refused", async () => {
    const { address, get } = await start();
    const { received, ended } = await raw(address, "\u0016\u0003\u0001 hello\r\n\r\n");
    await ended;
    expect(received()).toMatch(/^HTTP\/1\.1 400 /);
    expect(received()).not.toMatch(/at .*\.[jt]s/);
    expect((await get("/livez")).code).toBe(200);
  });
});

describe("the listener", () => {
  test("names address and option when the port is taken", async () => {
    const { address } = await start();
    const port = Number(address.split(":")[1]);
    const again = startHttp({
      host: "127.0.0.1",
      port,
      routes: daemonRoutes({ status: healthyStatus, metrics: metrics({ status: healthyStatus }) }),
      log: nullLogger,
    });
    await expect(again).rejects.toThrow(
      `cannot serve HTTP on 127.0.0.1:${port}: something else listens there; set the option http to another address, or to off`,
    );
    await expect(again).rejects.toMatchObject({ cause: { code: "EADDRINUSE" } });
  });

  test("names an address that this machine has not", async () => {
    const metered = metrics({ status: healthyStatus });
    const options = { routes: daemonRoutes({ status: healthyStatus, metrics: metered }), log: nullLogger };
    await expect(startHttp({ host: "192.0.2.1", port: 18_405, ...options })).rejects.toThrow(
      /^cannot serve HTTP on 192\.0\.2\.1:18405: .*EADDRNOTAVAIL.*option http/,
    );
  });

  test("shows an IPv6 address in brackets", async () => {
    const metered = metrics({ status: healthyStatus });
    const options = { routes: daemonRoutes({ status: healthyStatus, metrics: metered }), log: nullLogger };
    const server = await startHttp({ host: "::1", port: 0, ...options });
    open.push(server);
    expect(server.address).toMatch(/^\[::1\]:[0-9]+$/);
    expect((await fetch(`http://${server.address}/livez`)).status).toBe(200);
  });

  test("close cuts idle, silent and half-asked connections at once, and frees the port", async () => {
    const server = await start();
    const idle = await raw(server.address, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await eventually(() => expect(idle.received()).toMatch(/alive/));
    const others = [await raw(server.address, ""), await raw(server.address, "GET / HTT")];
    const start0 = performance.now();
    await server.close();
    await server.close();
    await Promise.all([idle, ...others].map((one) => one.ended));
    expect(performance.now() - start0).toBeLessThan(1000);
    const next = createServer().listen(Number(server.address.split(":")[1]), "127.0.0.1");
    await once(next, "listening");
    next.close();
    await once(next, "close");
  });
});

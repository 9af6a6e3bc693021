import { once } from "node:events";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from "node:http";
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sharedEngine } from "../../scripts/lab/shared-engine.ts";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { dockerSource } from "../../src/discovery/docker.ts";
import type { DockerTimeouts } from "../../src/discovery/docker-engine.ts";
import type { DockerPace } from "../../src/discovery/docker-watch.ts";
import type { Source } from "../../src/discovery/source.ts";
import type { DockerConnection } from "../../src/discovery/docker-endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { runSource } from "../support/run-source.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";
import { throwawayCa, type ThrowawayCa } from "../support/throwaway-ca.ts";

let dir: TempDir;
let socketPath = "";
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  dir = cleanup.use(await tempDir());
  socketPath = (await sharedEngine()).dockerHost.replace("unix://", "");
});
afterAll(() => cleanup.disposeAsync());

const check = (connection: DockerConnection) =>
  checkDocker({ connection, signal: AbortSignal.timeout(20_000) });

/** Why an engine cannot be used, with the cause behind it. */
async function reasonOf(connection: DockerConnection): Promise<string> {
  const report = await check(connection);
  return report.ok ? "it can be used" : report.reason;
}

async function listening(server: Server, at: { path: string } | { host: string; port: 0 }): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(at);
  await once(server, "listening");
  cleanup.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return "port" in at ? (server.address() as AddressInfo).port : 0;
}

function toEngine(client: Socket): void {
  const engine = createConnection(socketPath);
  client.pipe(engine).pipe(client);
  for (const one of [client, engine])
    one.on("error", () => undefined).on("close", () => [client, engine].map((each) => each.destroy()));
}

/** Something that is no engine, or a proxy that does not let us through. */
async function pretend(name: string, answer: RequestListener): Promise<string> {
  const path = join(dir.path, `${name}.sock`);
  await listening(createHttpServer(answer), { path });
  return path;
}

test.each(["unix://PATH", "PATH"])("%s", async (form) => {
  expect(await check({ host: form.replace("PATH", socketPath) })).toMatchObject({
    ok: true,
    endpoint: socketPath,
  });
});

test("the process's own DOCKER_HOST makes no difference", async () => {
  vi.stubEnv("DOCKER_HOST", "tcp://127.0.0.1:1");
  vi.stubEnv("DOCKER_PATH_PREFIX", "/nowhere");
  expect(await check({ host: socketPath })).toMatchObject({ ok: true, endpoint: socketPath });
});

test("tcp over IPv6", async () => {
  const port = await listening(createServer(toEngine), { host: "::1", port: 0 });
  expect(await check({ host: `tcp://[::1]:${port}` })).toMatchObject({
    ok: true,
    endpoint: `[::1]:${port}`,
    self: { kind: "host" },
  });
});

describe("TLS", () => {
  let ca: ThrowawayCa;
  let host = "";

  beforeAll(async () => {
    ca = await throwawayCa(dir.path);
    const { cert, key } = await ca.issue("engine");
    const files = { ca: readFileSync(ca.ca), cert: readFileSync(cert), key: readFileSync(key) };
    const server = createTlsServer({ ...files, requestCert: true, rejectUnauthorized: true }, toEngine);
    server.on("tlsClientError", () => undefined);
    host = `tcp://127.0.0.1:${await listening(server, { host: "127.0.0.1", port: 0 })}`;
  });

  /** A folder as DOCKER_CERT_PATH names it. */
  async function certPath(name: string): Promise<string> {
    const folder = join(dir.path, name);
    await mkdir(folder);
    const { cert, key } = await ca.issue(`client-${name}`);
    await copyFile(ca.ca, join(folder, "ca.pem"));
    await copyFile(cert, join(folder, "cert.pem"));
    await copyFile(key, join(folder, "key.pem"));
    return folder;
  }

  test("with the right certificates", async () => {
    const path = await certPath("right");
    expect(await check({ host, tlsVerify: "1", certPath: path })).toMatchObject({ ok: true });
  });

  test("certificates that are missing or no certificates", async () => {
    expect(await reasonOf({ host, tlsVerify: "1", certPath: join(dir.path, "none") })).toMatch(
      /^cannot read .*\/none\/\w+\.pem \(DOCKER_CERT_PATH\)/,
    );
    const folder = join(dir.path, "odd");
    await mkdir(folder);
    for (const file of ["ca.pem", "cert.pem", "key.pem"])
      await writeFile(join(folder, file), "no certificate\n");
    expect(await reasonOf({ host, tlsVerify: "1", certPath: folder })).toMatch(/each must be a PEM file/);
  });

  test("no TLS towards an engine that wants it", async () => {
    expect(await reasonOf({ host })).toMatch(/closed the connection|wants TLS/);
  });
});

describe("reasons", () => {
  test("nobody listens", async () => {
    expect(await reasonOf({ host: "tcp://127.0.0.1:1" })).toBe(
      "nobody listens at 127.0.0.1:1: is the Docker engine running?: connect ECONNREFUSED 127.0.0.1:1",
    );
  });

  test("a proxy in front of the socket that forbids it", async () => {
    const path = await pretend("proxy", (request, response) => {
      response.writeHead(request.url === "/_ping" ? 200 : 403).end("<html>403 Forbidden</html>");
    });
    expect(await reasonOf({ host: path })).toMatch(/must allow CONTAINERS, EVENTS and PING/);
  });

  test("a proxy that hides only the version does no harm", async () => {
    const server = createServer((client) => {
      client.once("data", (chunk) => {
        if (!chunk.includes("/version")) {
          toEngine(client.pause());
          client.unshift(chunk);
          client.resume();
        } else client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
      });
    });
    const path = join(dir.path, "hides.sock");
    await listening(server, { path });
    expect(await check({ host: path })).toMatchObject({ ok: true, version: null });
  });

  test("an engine that wants TLS", async () => {
    const path = await pretend("https", (_, response) => {
      response.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n");
    });
    expect(await reasonOf({ host: path })).toMatch(/wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH/);
  });

  test("something else listens there", async () => {
    const path = await pretend("web", (_, response) => response.end("<html>hello</html>"));
    expect(await reasonOf({ host: path })).toMatch(/is no list of containers/);
    const odd = await pretend("odd", (_, response) => response.end('[{"hello":"there"}]'));
    expect(await reasonOf({ host: odd })).toMatch(/a container without an id/);
  });

  test("a connection that breaks in the middle of an answer", async () => {
    const path = await pretend("half", (request, response) => {
      if (request.url?.startsWith("/events") === true) return response.flushHeaders();
      response.writeHead(200, { "content-length": 1000 }).write("[{");
      return setTimeout(() => response.destroy(), 50);
    });
    await using run = runSource(sourceOf(path, { listMs: 300 }));
    expect((await run.ended)?.message).toMatch(/did not answer within 300 ms \(the list of containers\)/);
    expect(run.snapshots).toEqual([]);
  });

  test("an abort ends the check", async () => {
    const path = await pretend("silent", () => undefined);
    const report = await checkDocker({ connection: { host: path }, signal: AbortSignal.timeout(100) });
    expect(report).toMatchObject({ ok: false });
  });
});

test("an engine whose list lags behind its events", async () => {
  let [events, shown]: [ServerResponse | null, string] = [null, "running"];
  const path = await pretend("lags", (request, response) => {
    if (request.url?.startsWith("/events") === true) {
      events = response;
      return response.flushHeaders();
    }
    const entry = { Id: "a".repeat(64), Names: ["/web"], State: shown, Labels: LABELS };
    return response.end(request.url === "/containers/json" ? JSON.stringify([entry]) : "OK");
  });
  await using run = runSource(sourceOf(path));
  await eventually(() => expect(run.names()).toEqual(["web"]));
  for (const lagMs of [60, 700]) {
    shown = "running";
    events!.write('{"Type":"container","Action":"unpause"}\n');
    await eventually(() => expect(run.names()).toEqual(["web"]), { timeoutMs: 3000 });
    events!.write('{"Type":"container","Action":"pause"}\n');
    await sleep(lagMs); // What is tested is the time that passes between the event and the list.
    shown = "paused";
    await eventually(() => expect(run.names()).toEqual([]), { timeoutMs: 1500 });
  }
});

test("an event in pieces, or several at once, and lines that are no events", async () => {
  let [events, names]: [ServerResponse | null, readonly string[]] = [null, ["web0"]];
  const path = await pretend("pieces", (request, response) => {
    if (request.url?.startsWith("/events") === true) {
      events = response;
      return response.flushHeaders();
    }
    const entries = names.map((name, index) => ({
      Id: String(index).repeat(64),
      Names: [`/${name}`],
      State: "running",
      Labels: LABELS,
    }));
    return response.end(request.url === "/containers/json" ? JSON.stringify(entries) : "OK");
  });
  await using run = runSource(sourceOf(path, { afterwardsMs: [] }));
  await eventually(() => expect(run.names()).toEqual(["web0"]));
  const kill = JSON.stringify({
    Type: "container",
    Action: "kill",
    time: 1,
    Actor: { ID: "0".repeat(64), Attributes: { signal: "15" } },
  });
  for (const piece of [kill.slice(0, 40), kill.slice(40), "\n\n{}\nnonsense\n"]) events!.write(piece);
  await eventually(() => expect(run.snapshots.at(-1)?.servers[0]?.state).toBe("drain"));
  names = ["web0", "web1"];
  events!.write("{}\n{}\n");
  await eventually(() => expect(run.names()).toEqual(["web0", "web1"]));
});

const LABELS = { "x.enable": "true", "x.address": "127.0.0.1", "x.port": "80" };

function sourceOf(host: string, pace: Partial<DockerPace & DockerTimeouts> = {}): Source {
  const settings = {
    source: "docker",
    labelPrefix: "x",
    enableByDefault: false,
    defaultBackend: "b",
    network: null,
  };
  return dockerSource({ connection: { host }, settings, now: Date.now, pace });
}

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { sharedEngine } from "../../scripts/lab/shared-engine.ts";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { dockerSourceLab, WITHOUT_NETWORK } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { hostileRequests } from "../support/hostile-requests.ts";
import { runSource } from "../support/run-source.ts";
import { FAREWELL, startSocketFilter } from "../support/socket-filter.ts";
import { tempDir } from "../support/temp-dir.ts";

/** A socket that notes what reaches it, and answers "OK" to all of it. */
interface Recorder extends AsyncDisposable {
  readonly socketPath: string;
  /** `METHOD TARGET` and the headers, in lower case and sorted; without farewells. */
  readonly received: (readonly [string, readonly string[]])[];
}

async function recorder(): Promise<Recorder> {
  const dir = await tempDir();
  const socketPath = join(dir.path, "engine.sock");
  const received: Recorder["received"] = [];
  const note = ({ method, url, headers }: IncomingMessage): void => {
    const line = `${method} ${url}`;
    const words = Object.entries(headers).map((one) => one.join(": "));
    if (line !== FAREWELL) received.push([line, words.toSorted()]);
  };
  // No limit on idle connections: the filter keeps them, and closing one here races with its next use.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    note(request);
    response.end("OK");
  });
  server.on("upgrade", (request, socket) => {
    note(request);
    socket.destroy();
  });
  server.on("clientError", (error, socket) => {
    received.push([`nonsense: ${error.message}`, []]);
    socket.destroy();
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const statuses = (answer: string): readonly string[] =>
  [...answer.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, status = ""]) => status);

const isRefusal = (answer: string): boolean => answer === "" || /^HTTP\/1\.[01] 40[0135] /.test(answer);

const ID = "0123456789abcdef".repeat(4);
const ALLOWED = [
  "GET /_ping",
  "HEAD /_ping",
  "GET /version",
  "GET /v1.41/version",
  "GET /events",
  "GET /events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D",
  "GET /containers/json",
  "GET /v1.51/containers/json",
  `GET /containers/${ID}/json`,
  `GET /v1.51/containers/${ID.slice(0, 12)}/json`,
];

describe.each(haproxyVersions)("the socket filter on HAProxy %s", (version) => {
  test("refuses every hostile request, and nothing of it reaches the engine", async () => {
    await using engine = await recorder();
    await using filter = await startSocketFilter({ version, socketPath: engine.socketPath });
    const hostile = [...hostileRequests()];
    expect(hostile.length).toBeGreaterThan(100);
    const passed: string[] = [];
    for (const [name, bytes] of hostile) {
      const answer = await filter.send(bytes);
      if (!isRefusal(answer) || engine.received.length > 0) passed.push(`${name} -> ${answer.slice(0, 60)}`);
      engine.received.length = 0;
    }
    expect(passed).toEqual([]);
  });

  test("lets through what Rollcall asks, without anything beside it", async () => {
    await using engine = await recorder();
    await using filter = await startSocketFilter({ version, socketPath: engine.socketPath });
    for (const line of ALLOWED) {
      const headers = "Host: other\r\nCookie: a=b\r\nX-Registry-Auth: c\r\nExpect: 100-continue\r\n";
      expect([line, statuses(await filter.send(`${line} HTTP/1.1\r\n${headers}\r\n`))]).toEqual([
        line,
        ["200", "200"],
      ]);
    }
    expect(engine.received).toEqual(ALLOWED.map((line) => [line, ["host: docker"]]));
  });

  test("looks at each request of a connection", async () => {
    await using engine = await recorder();
    await using filter = await startSocketFilter({ version, socketPath: engine.socketPath });
    const ask = (line: string): string => `${line} HTTP/1.1\r\nHost: engine\r\n\r\n`;
    const answer = await filter.send(ask("GET /_ping") + ask("POST /containers/create") + ask("GET /_ping"));
    expect(statuses(answer).slice(0, 3)).toEqual(["200", "403", "200"]);
    expect(engine.received.map(([line]) => line)).toEqual(["GET /_ping", "GET /_ping"]);
  });

  test("refuses inspections, and lets Swarm through, when it is told to", async () => {
    await using engine = await recorder();
    const env = { INSPECT: "off", SWARM: "on" };
    await using filter = await startSocketFilter({ version, socketPath: engine.socketPath, env });
    const lines = [...ALLOWED, "GET /services", "GET /tasks", "GET /v1.41/nodes", "POST /services/create"];
    const answers = await Promise.all(
      lines.map((line) => filter.send(`${line} HTTP/1.1\r\nHost: engine\r\n\r\n`)),
    );
    const refused = lines.filter((_, index) => statuses(answers[index] ?? "")[0] === "403");
    expect(refused).toEqual([
      ...ALLOWED.filter((line) => line.includes(ID.slice(0, 12))),
      "POST /services/create",
    ]);
    expect(engine.received).toHaveLength(lines.length - refused.length);
  });
});

test("the source works through a filter that forbids inspections: SIGTERM drains, other stop signals do not", async () => {
  const { dockerHost } = await sharedEngine();
  await using filter = await startSocketFilter({
    version: "3.0",
    socketPath: dockerHost.replace("unix://", ""),
    env: { INSPECT: "off" },
  });
  const signal = AbortSignal.timeout(20_000);
  expect(await checkDocker({ connection: { host: filter.dockerHost }, signal })).toMatchObject({ ok: true });
  await using docker = await dockerSourceLab();
  const pace = { relistMs: 300 };
  await using run = runSource(docker.source({ host: filter.dockerHost, pace }));
  const stubborn = (signals: string): string => `trap '' ${signals}; while :; do /bin/busybox sleep 1; done`;
  const usual = await docker.serve("usual", { ...WITHOUT_NETWORK, script: stubborn("TERM") });
  const own = await docker.serve("own", {
    ...WITHOUT_NETWORK,
    flags: ["--stop-signal", "QUIT"],
    script: stubborn("QUIT"),
  });
  const states = (): Record<string, string> =>
    Object.fromEntries((run.snapshots.at(-1)?.servers ?? []).map(({ name, state }) => [name, state]));
  await eventually(() => expect(states()).toEqual({ own: "ready", usual: "ready" }));
  await own.kill("QUIT");
  await usual.kill("TERM");
  await eventually(() => expect(states()).toEqual({ own: "ready", usual: "drain" }));
  // The inspection of what is remembered, which comes with each list that is due by time, does no harm either.
  const seen = run.snapshots.length;
  await eventually(() => expect(run.snapshots.length).toBeGreaterThan(seen + 1));
  expect(states()).toEqual({ own: "ready", usual: "drain" });
  await docker.lab.docker("restart", "-t", "0", usual.id);
  await eventually(() => expect(states()).toEqual({ own: "ready", usual: "ready" }));
  await own.kill();
  await eventually(() => expect(states()).toEqual({ usual: "ready" }));
  expect(await Promise.race([run.ended, Promise.resolve("it runs on")])).toBe("it runs on");
});

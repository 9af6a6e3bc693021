import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { dockerSource } from "../../src/discovery/docker.ts";
import { messageOf } from "../../src/lib/errors.ts";
import { eventually } from "../support/eventually.ts";
import { runSource } from "../support/run-source.ts";
import { tempDir } from "../support/temp-dir.ts";

/*
 * An engine that no engine is: no real one can be made to change a container a thousand times a second, or to send an
 * event without an end.
 */
const RATE = 1000;
/** Between two lists; five times the usual. */
const GAP_MS = 100;
const id = (digit: string): string => digit.repeat(64);
const entry = (name: string, digit: string, weight: number) => ({
  Id: id(digit),
  Names: [`/${name}`],
  State: "running",
  Labels: { "rollcall.enable": "true", "rollcall.port": "80", "rollcall.weight": String(weight % 257) },
  NetworkSettings: { Networks: { front: { IPAddress: `10.0.0.${digit}` } } },
});

async function fakeEngine(): Promise<AsyncDisposable & ReturnType<typeof state> & { socketPath: string }> {
  const dir = await tempDir();
  const socketPath = join(dir.path, "docker.sock");
  const kept = state();
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (url.startsWith("/events")) {
      kept.streams.push(response);
      response.flushHeaders();
    } else if (url.startsWith("/containers/json")) {
      kept.lists++;
      response.end(JSON.stringify([entry("wild", "1", kept.wild), entry("calm", "2", kept.calm)]));
    } else if (url.startsWith("/containers/")) {
      kept.inspections++;
      response.end(JSON.stringify({ Config: { StopSignal: "SIGTERM" } }));
    } else response.end("OK");
  }).listen(socketPath);
  await once(server, "listening");
  return Object.assign(kept, {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await dir[Symbol.asyncDispose]();
    },
  });
}

const state = () => ({ streams: [] as ServerResponse[], lists: 0, inspections: 0, wild: 0, calm: 1 });

const sourceOf = (host: string) =>
  dockerSource({
    connection: { host },
    settings: {
      source: "docker",
      labelPrefix: "rollcall",
      enableByDefault: false,
      defaultBackend: "webserver",
      network: null,
    },
    now: () => performance.now(),
    pace: { gapMs: GAP_MS },
  });

/** What two of three events are, a signal that means nothing, and what the third is. */
const event = (count: number): string =>
  JSON.stringify({
    Type: "container",
    Action: count % 3 === 0 ? "rename" : "kill",
    Actor: { ID: id("1"), Attributes: { signal: "1" } },
    time: 1,
  });

test("a container that changes a thousand times a second holds up no other, and costs few lists", async () => {
  await using engine = await fakeEngine();
  await using run = runSource(sourceOf(engine.socketPath));
  await eventually(() => expect(run.names()).toEqual(["calm", "wild"]));
  const weightOf = (name: string) => run.snapshots.at(-1)?.servers.find((one) => one.name === name)?.weight;

  const startedMs = performance.now();
  const due = (): number => ((performance.now() - startedMs) * RATE) / 1000;
  const send = setInterval(() => {
    for (; engine.wild < due(); engine.wild++) engine.streams.at(-1)?.write(`${event(engine.wild)}\n`);
  }, 1);
  const lists = engine.lists;
  await eventually(() => expect(engine.wild).toBeGreaterThan(RATE));
  engine.calm = 77;
  const changedMs = performance.now();
  await eventually(() => expect(weightOf("calm")).toBe(77), { everyMs: 5 });
  const lateMs = performance.now() - changedMs;
  await eventually(() => expect(engine.wild).toBeGreaterThan(2 * RATE));
  clearInterval(send);
  const seconds = (performance.now() - startedMs) / 1000;

  expect(lateMs).toBeLessThan(2000);
  expect(engine.lists - lists).toBeLessThan((1000 / GAP_MS) * seconds + 5);
  expect(run.snapshots.length).toBeLessThanOrEqual(engine.lists);
  expect(engine.inspections).toBeLessThan(10);
  expect(engine.streams).toHaveLength(1);
  // All that was sent was read.
  await eventually(() => expect(engine.streams[0]?.writableLength).toBe(0));
  await eventually(() => expect(weightOf("wild")).toBe(engine.wild % 257));
  console.log(
    `${engine.wild} changes in ${seconds.toFixed(1)} s: ${engine.lists - lists} lists, ` +
      `${run.snapshots.length} pictures, another change was seen after ${lateMs.toFixed(0)} ms`,
  );
});

test("an event without an end does not fill the memory: the connection ends", async () => {
  await using engine = await fakeEngine();
  await using run = runSource(sourceOf(engine.socketPath));
  await eventually(() => expect(run.names()).toEqual(["calm", "wild"]));
  const piece = Buffer.alloc(64 * 1024, "x");
  const endless = Readable.from(
    (function* () {
      for (;;) yield piece;
    })(),
  );
  const [stream] = engine.streams;
  if (stream === undefined) throw new Error("nobody listens to events");
  const pumping = pipeline(endless, stream).catch(() => "broken");
  expect(messageOf(await run.ended)).toMatch(/maximum buffer reached/);
  expect(await pumping).toBe("broken");
});

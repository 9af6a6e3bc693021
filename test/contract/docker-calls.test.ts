import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedEngine } from "../../scripts/lab/shared-engine.ts";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { dockerSourceLab, type DockerSourceLab } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { recordingProxy, type RecordedRequest } from "../support/recording-proxy.ts";
import { tempDir } from "../support/temp-dir.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/reference/docker-calls.md");

/** `GET /path` of the rows that say that this command asks it. */
function documented(command: string): readonly string[] {
  const rows = readFileSync(DOCUMENT, "utf8").matchAll(/^\| (GET|POST|HEAD)\s*\| `(\S+)`\s*\| ([^|]*)\|/gm);
  const asked = [...rows].filter(([, , , by = ""]) => by.includes(`\`${command}\``));
  return asked.map(([, method, path]) => `${method} ${path}`).toSorted();
}

/** Each call once, in the words of the document. */
function calls(requests: readonly RecordedRequest[]): readonly string[] {
  const patterns = requests.map(
    ({ method, target }) =>
      `${method} ${target.replace(/\?filters=[^&]+/, "?filters=…").replace(/[0-9a-f]{64}/, "ID")}`,
  );
  return [...new Set(patterns)].toSorted();
}

const proxy = async () => recordingProxy((await sharedEngine()).dockerHost.replace("unix://", ""));

test("a life of containers takes the documented calls, and no others", async () => {
  await using engine = await proxy();
  await using docker = await dockerSourceLab();
  const pace = { pingEveryMs: 100, relistMs: 1000 };
  await using run = runSource(docker.source({ host: engine.socketPath, pace }));
  await eventually(() => expect(run.names()).toEqual([]));
  await liveThrough(docker, run);
  expect(run.names()).toEqual([]);
  await eventually(() => expect(calls(engine.requests)).toEqual(documented("run")));
  for (const { headers } of engine.requests) {
    expect(headers).not.toHaveProperty("content-length");
    expect(headers).not.toHaveProperty("transfer-encoding");
  }
});

/** All that happens to containers, each seen by the source before the next. */
async function liveThrough(docker: DockerSourceLab, run: SourceRun): Promise<void> {
  const sees = (name: string, state: string | undefined): Promise<void> =>
    eventually(() => {
      const found = run.snapshots.at(-1)?.servers.find((server) => server.name === name);
      expect([name, found?.state]).toEqual([name, state]);
    });
  const [front, back] = [await docker.lab.network(), await docker.lab.network()];
  const labels = { network: front, port: "8000" };
  const script = "trap 'exit 0' QUIT TERM; while :; do /bin/busybox sleep 0.1; done";
  const flags = ["--stop-signal", "QUIT"];
  const own = await docker.serve("own", { labels, networks: [front], script, flags });
  await sees("own", "ready");
  await own.pause();
  await sees("own", undefined);
  await own.unpause();
  await sees("own", "ready");
  await own.connect(back);
  await own.disconnect(front);
  await sees("own", undefined);
  await own.connect(front);
  await sees("own", "ready");
  await own.kill("HUP");
  await own.stop();
  await sees("own", undefined);
  await own.start();
  await sees("own", "ready");
  await own.kill();
  await sees("own", undefined);
  await own.remove();
}

test("with Docker Swarm it takes the documented calls more", async () => {
  await using dir = await tempDir();
  const socketPath = join(dir.path, "manager.sock");
  const server = createServer(({ url = "" }, response) => {
    if (url.startsWith("/events")) response.flushHeaders();
    else response.end("[]");
  }).listen(socketPath);
  try {
    await using engine = await recordingProxy(socketPath);
    await using docker = await dockerSourceLab();
    const pace = { pingEveryMs: 100 };
    await using run = runSource(docker.source({ host: engine.socketPath, swarm: "on", pace }));
    const known = [...documented("run"), ...documented("docker-swarm")].toSorted();
    const isForContainers = (call: string): boolean => call.includes("/ID/");
    await eventually(() =>
      expect(calls(engine.requests)).toEqual(known.filter((call) => !isForContainers(call))),
    );
    await eventually(() => expect(run.names()).toEqual([]));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("the doctor takes the documented calls, and no others", async () => {
  await using engine = await proxy();
  const signal = AbortSignal.timeout(20_000);
  expect(await checkDocker({ connection: { host: engine.socketPath }, signal })).toMatchObject({ ok: true });
  expect(calls(engine.requests)).toEqual(documented("check"));
});

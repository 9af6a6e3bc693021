import { once } from "node:events";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Snapshot } from "../../src/core/snapshot.ts";
import { BUSYBOX, dockerSourceLab, SLEEP, type DockerSourceLab } from "../support/docker-source-lab.ts";
import type { ContainerOptions, TestContainer } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { runSource } from "../support/run-source.ts";
import { tempDir } from "../support/temp-dir.ts";

let docker: DockerSourceLab;
const foreign = { registrator: true, nginxProxy: true };

// Each test has names of its own, and only its own containers are looked at: others may use the engine too.
beforeEach(async () => {
  docker = await dockerSourceLab();
});
afterEach(() => docker?.[Symbol.asyncDispose]());

const soon = (attempt: () => void): Promise<void> => eventually(attempt, { timeoutMs: 30_000 });

/** Names that no other test's containers have. */
const mine = (name: string): string => `${name}-${docker.lab.id}`;
const settings = (tools = foreign) => ({
  source: "docker",
  labelPrefix: docker.prefix,
  enableByDefault: false,
  defaultBackend: "webserver",
  network: null,
  foreign: tools,
});

/** Starts a container that sleeps, with one exposed port and without labels of ours. */
const start = ({ flags = [], ...options }: ContainerOptions = {}): Promise<TestContainer> =>
  docker.lab.run({
    ...options,
    flags: [...BUSYBOX, "--expose", "8000", ...flags],
    command: ["sh", "-c", SLEEP],
  });

/** `BACKEND/NAME PORT HOST…` of this test's servers. */
function places(picture: Snapshot | undefined): readonly string[] {
  const servers = (picture?.servers ?? []).filter(({ backend }) => backend.includes(docker.lab.id));
  const shown = servers.map(({ backend, name, port, routes }) =>
    [`${backend}/${name}`, port, ...routes.map(({ host, path }) => `${host}${path ?? ""}`)].join(" "),
  );
  return shown.map((one) => one.replaceAll(`-${docker.lab.id}`, "")).toSorted();
}

test("variables, the image's own, and labels before both", async () => {
  const [image, api, shop] = [mine("rc-foreign"), mine("api"), `${mine("shop")}.example.org`];
  const mould = await start();
  await docker.lab.docker(
    "commit",
    "--change",
    `ENV SERVICE_NAME=${api} SERVICE_TAGS=built`,
    mould.id,
    image,
  );
  await mould.remove();
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => void (await docker.lab.docker("rmi", "-f", image)));
  const run = stack.use(runSource(docker.source({ settings: settings() })));
  const one = await start({ image, name: mine("one") });
  await start({ image, name: mine("two"), env: { SERVICE_NAME: mine("given"), SERVICE_8000_TAGS: "run" } });
  await start({
    image,
    name: mine("three"),
    env: { SERVICE_NAME: "x" },
    labels: { SERVICE_NAME: mine("label") },
  });
  await start({ image, name: mine("four"), labels: { [`${docker.prefix}.enable`]: "false" } });
  const hosts = { VIRTUAL_HOST: `${shop},*.${shop}`, VIRTUAL_PATH: "/cart" };
  await start({ name: mine("five"), env: hosts, flags: ["--expose", "9000"] });
  const expected = [
    "any-.shop.example.org..cart/five 80 *.shop.example.org/cart",
    "api/one 8000",
    "given/two 8000",
    "label/three 8000",
    "shop.example.org..cart/five 80 shop.example.org/cart",
  ];
  await soon(() => expect(places(run.snapshots.at(-1))).toEqual(expected));
  const tagsOf = (backend: string) =>
    run.snapshots.at(-1)?.servers.find((server) => server.backend === mine(backend))?.tags;
  expect([tagsOf("api"), tagsOf("given")]).toEqual([["built"], ["run"]]);
  await one.stop(0);
  await soon(() => expect(places(run.snapshots.at(-1))).toEqual(expected.toSpliced(1, 1)));
  await docker.lab.docker("start", one.id);
  await soon(() => expect(places(run.snapshots.at(-1))).toEqual(expected));
});

test("each container is inspected once, and one that the engine chokes on does not hold up the others", async () => {
  const dead = await start({ name: mine("dead"), env: { SERVICE_NAME: mine("dead") } });
  const live = await start({ name: mine("live"), env: { SERVICE_NAME: mine("live") } });
  await using gate = await engineGate(dead.id);
  const source = docker.source({ host: gate.path, settings: settings() });
  await using run = runSource(source);
  // Already the first picture: without those that can be read, HAProxy would lose them at each start of Rollcall.
  await soon(() => expect(run.snapshots.length).toBeGreaterThan(0));
  expect(places(run.snapshots[0])).toContain("live/live 8000");
  const warned = run.snapshots[0]?.warnings.find(({ origin }) => origin.id.includes(mine("dead")));
  expect(warned?.reason).toMatch(/^its environment variables cannot be read: .* within 5000 ms \(inspect\)$/);
  const next = await start({ name: mine("next"), env: { SERVICE_NAME: mine("next") } });
  await soon(() => expect(places(run.snapshots.at(-1))).toContain("next/next 8000"));
  const times = [live, next].map((one) => gate.inspected.filter((id) => id === one.id).length);
  expect(times).toEqual([1, 1]);
});

test("with the options off nobody is inspected", async () => {
  const unread = await start({
    name: mine("unread"),
    env: { SERVICE_NAME: mine("unread"), VIRTUAL_HOST: "a.org" },
  });
  await using gate = await engineGate();
  const off = { registrator: false, nginxProxy: false };
  await using run = runSource(docker.source({ host: gate.path, settings: settings(off) }));
  await soon(() => expect(run.snapshots.length).toBeGreaterThan(0));
  expect(places(run.snapshots[0])).toEqual([]);
  expect(gate.inspected).not.toContain(unread.id);
});

/** A socket in front of the engine's that notes inspections, and never answers the one of `stuckId`. */
async function engineGate(
  stuckId?: string,
): Promise<AsyncDisposable & { path: string; inspected: readonly string[] }> {
  const dir = await tempDir();
  const path = join(dir.path, "gate.sock");
  const inspected: string[] = [];
  const server = createServer((question, response) => {
    const id = /\/containers\/([0-9a-f]{64})\/json/.exec(question.url ?? "")?.[1];
    if (id !== undefined) inspected.push(id);
    if (id !== undefined && id === stuckId) return;
    const { url = "", method = "GET", headers } = question;
    const socketPath = docker.lab.dockerHost.replace("unix://", "");
    const asked = request({ socketPath, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.on("error", () => response.destroy()).pipe(response);
    });
    asked.on("error", () => response.destroy()).end();
    response.on("close", () => asked.destroy());
  });
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    inspected,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

import { afterAll, beforeAll, expect, test } from "vitest";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { hostPort } from "../../src/core/server.ts";
import {
  dockerSourceLab,
  type DockerSourceLab,
  type SourceLabOptions,
} from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";

let docker: DockerSourceLab;
let [front, back] = ["", ""];

beforeAll(async () => {
  docker = await dockerSourceLab();
  [front, back] = [await docker.lab.network(), await docker.lab.network()];
});
afterAll(() => docker[Symbol.asyncDispose]());

/** Where a server is, or why it is not served. */
function placeOf(run: SourceRun, name: string, id: string): string | undefined {
  const last = run.snapshots.at(-1);
  const server = last?.servers.find((one) => one.name === name);
  const refusals = [...(last?.waiting ?? []), ...(last?.quarantined ?? [])];
  return server === undefined
    ? refusals.find(({ origin }) => origin.id.startsWith(id.slice(0, 12)))?.reason
    : hostPort(server);
}

async function follow(options?: SourceLabOptions): Promise<SourceRun> {
  const run = runSource(docker.source(options));
  await eventually(() => expect(run.snapshots.length).toBeGreaterThan(0));
  return run;
}

test("on two networks: by label, by option, else refused; never a random one", async () => {
  const plain = await docker.serve("plain", { networks: [front, back] });
  const labelled = await docker.serve("labelled", { networks: [front, back], labels: { network: back } });
  await using free = await follow();
  await using fixed = await follow({ network: front });
  const both = [front, back].toSorted().join(", ");
  await eventually(async () => {
    expect(placeOf(free, "plain", plain.id)).toBe(
      `2 networks come into question (${both}): set ${docker.prefix}.network`,
    );
    expect(placeOf(free, "labelled", labelled.id)).toBe(`${await labelled.ip(back)}:8000`);
    expect(placeOf(fixed, "plain", plain.id)).toBe(`${await plain.ip(front)}:8000`);
    expect(placeOf(fixed, "labelled", labelled.id)).toBe(`${await labelled.ip(back)}:8000`);
  });
});

test("the network shared with our own container", async () => {
  const own = await docker.serve("lb", { networks: [front], labels: { enable: "false" } });
  const both = await docker.serve("both", { networks: [back, front] });
  const apart = await docker.serve("apart", { networks: [back] });
  await using run = await follow({ selfId: own.id });
  await eventually(async () => {
    expect(placeOf(run, "both", both.id)).toBe(`${await both.ip(front)}:8000`);
    expect(placeOf(run, "apart", apart.id)).toContain(`it is on ${back}, Rollcall on ${front}`);
  });
  await own.connect(back);
  await eventually(() => expect(placeOf(run, "both", both.id)).toContain("2 networks come into question"));
  await eventually(async () => expect(placeOf(run, "apart", apart.id)).toBe(`${await apart.ip(back)}:8000`));
});

test("disconnected it is out, connected again it is in under its new address", async () => {
  const one = await docker.serve("moving", { networks: [front] });
  await using run = await follow({ network: front });
  await eventually(async () => expect(placeOf(run, "moving", one.id)).toBe(`${await one.ip()}:8000`));
  await one.disconnect(front);
  await eventually(() => expect(placeOf(run, "moving", one.id)).toBe("it is on no network"));
  const taker = await docker.serve("taker", { networks: [front] });
  await one.connect(front);
  await eventually(async () => {
    expect(placeOf(run, "moving", one.id)).toBe(`${await one.ip()}:8000`);
    expect(placeOf(run, "taker", taker.id)).toBe(`${await taker.ip()}:8000`);
  });
});

test("an address that another container takes over is that one's alone", async () => {
  const first = await docker.serve("first", { networks: [back] });
  const ip = await first.ip();
  await using run = await follow({ network: back });
  await eventually(() => expect(placeOf(run, "first", first.id)).toBe(`${ip}:8000`));
  await first.remove();
  const second = await docker
    .serve("second", { networks: [back], flags: ["--ip", ip] })
    .catch(() => docker.serve("second", { networks: [back] }));
  expect(await second.ip()).toBe(ip);
  await eventually(() => expect(placeOf(run, "second", second.id)).toBe(`${ip}:8000`));
  expect(placeOf(run, "first", first.id)).toBeUndefined();
  for (const { servers } of run.snapshots)
    expect(servers.filter(({ address }) => address === ip).length).toBeLessThan(2);
});

test("the host's network: its loopback from the host, refused from a container, the host's address when wanted", async () => {
  const port = { port: "9000" };
  const bare = await docker.serve("bare", { networks: ["host"] });
  const plain = await docker.serve("onhost", { networks: ["host"], labels: port });
  const wanted = await docker.serve("wanted", { networks: ["host"], labels: { ...port, address: "host" } });
  const own = await docker.serve("lb2", { networks: [front], labels: { enable: "false" } });
  await using fromHost = await follow();
  await using fromContainer = await follow({ selfId: own.id });
  const gateway = await docker.lab.docker(
    "network",
    "inspect",
    "-f",
    "{{(index .IPAM.Config 0).Gateway}}",
    front,
  );
  await eventually(() => {
    expect(placeOf(fromHost, "bare", bare.id)).toBe(
      `no port label and no exposed port: set ${docker.prefix}.port`,
    );
    expect(placeOf(fromHost, "onhost", plain.id)).toBe("127.0.0.1:9000");
    expect(placeOf(fromContainer, "onhost", plain.id)).toContain("it is on the host's network");
    expect(placeOf(fromContainer, "wanted", wanted.id)).toBe(`${gateway}:9000`);
  });
});

test("published ports, the port of the image, several exposed ports", async () => {
  const published = await docker.serve("pub", {
    flags: ["-p", "127.0.0.1::8000"],
    labels: { address: "host" },
  });
  const several = await docker.serve("several", { flags: ["--expose", "9001"] });
  const each = await docker.serve("each", { labels: { "8000.backend": "api", "9001.backend": "admin" } });
  const joined = await docker.serve("joined", {
    networks: [`container:${each.id}`],
    labels: { port: "9002" },
  });
  await using run = await follow();
  const hostPortOf = await docker.lab.docker("port", published.id, "8000");
  await eventually(async () => {
    expect(placeOf(run, "pub", published.id)).toBe(hostPortOf);
    expect(placeOf(run, "several", several.id)).toBe(
      `no port label and 2 exposed ports (8000, 9001): set ${docker.prefix}.port`,
    );
    expect(placeOf(run, "each-8000", each.id)).toBe(`${await each.ip()}:8000`);
    expect(placeOf(run, "each-9001", each.id)).toBe(`${await each.ip()}:9001`);
    expect(placeOf(run, "joined", joined.id)).toBe(`${await each.ip()}:9002`);
  });
});

test("our own container is not of this engine: said in a warning", async () => {
  await using run = await follow({ selfId: "f".repeat(64) });
  expect(run.snapshots[0]?.warnings[0]?.reason).toContain(
    "our own container ffffffffffff is not one of this engine",
  );
});

test("the doctor", async () => {
  const signal = AbortSignal.timeout(10_000);
  const own = await docker.serve("doctor", { networks: [front] });
  const check = (host: string, selfId?: string) => checkDocker({ connection: { host }, selfId, signal });
  expect(await check(docker.lab.dockerHost, own.id)).toMatchObject({
    ok: true,
    version: { api: expect.stringMatching(/^1\.\d+$/) as string },
    self: { kind: "container", networks: [front], hostNetwork: false },
    warning: null,
  });
  expect(await check("/nowhere/docker.sock")).toMatchObject({
    ok: false,
    reason: expect.stringContaining("no Docker socket at /nowhere/docker.sock: is Docker running") as string,
  });
});

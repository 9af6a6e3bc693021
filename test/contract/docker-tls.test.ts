import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEngine, type Engine } from "../../scripts/lab/engine.ts";
import { board } from "../../src/discovery/board.ts";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { dockerSource } from "../../src/discovery/docker.ts";
import { keepRunning } from "../../src/discovery/keep-running.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { nullLogger } from "../support/null-logger.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";
import { throwawayCa, type Certificate, type ThrowawayCa } from "../support/throwaway-ca.ts";

// A real engine that speaks TLS only to clients with a certificate of its authority. It is for one address of two.
let dir: TempDir;
let [ca, stranger]: ThrowawayCa[] = [];
let engine: Engine;
let [host, otherHost] = ["", ""];

beforeAll(async () => {
  dir = await tempDir();
  [ca, stranger] = [await throwawayCa(dir.path), await throwawayCa(dir.path, "stranger")];
  const files = await certPath("engine-files", ca, await ca.issue("engine"));
  const port = await freePort("0.0.0.0");
  [host, otherHost] = [`tcp://127.0.0.1:${port}`, `tcp://127.0.0.2:${port}`];
  const tls = ["ca.pem", "cert.pem", "key.pem"].map((file) => join(files, file));
  const flags = [
    "-H",
    host,
    "-H",
    otherHost,
    "--tlsverify",
    `--tlscacert=${tls[0]}`,
    `--tlscert=${tls[1]}`,
    `--tlskey=${tls[2]}`,
  ];
  engine = await startEngine({ name: "tls", dir: join(dir.path, "engine"), flags });
});
afterAll(async () => {
  await engine?.dispose();
  await dir[Symbol.asyncDispose]();
});

/** Puts files into a folder as DOCKER_CERT_PATH names it, in place of those that are there. */
async function certPath(name: string, trusted: ThrowawayCa, { cert, key }: Certificate): Promise<string> {
  const folder = join(dir.path, name);
  await mkdir(folder, { recursive: true });
  await copyFile(trusted.ca, join(folder, "ca.pem"));
  await copyFile(cert, join(folder, "cert.pem"));
  await copyFile(key, join(folder, "key.pem"));
  return folder;
}

const check = (path: string, at = host) =>
  checkDocker({ connection: { host: at, certPath: path }, signal: AbortSignal.timeout(20_000) });

/** Why an engine cannot be used. */
async function reasonOf(path: string, at = host): Promise<string> {
  const report = await check(path, at);
  return report.ok ? "it can be used" : report.reason.replaceAll(dir.path, "…").replace(/:\d+/, ":2376");
}

test("certificates that both sides accept", async () => {
  expect(await check(await certPath("good", ca!, await ca!.issue("good")))).toMatchObject({ ok: true });
});

test("an engine that is not the one that we trust", async () => {
  const folder = await certPath("wrong-ca", stranger!, await ca!.issue("client"));
  expect(await reasonOf(folder)).toMatch(
    /^the certificate of the Docker engine at 127\.0\.0\.1:2376 is not signed by …\/wrong-ca\/ca\.pem: put the certificate of the authority that signed it there/,
  );
});

test("a client that the engine does not trust", async () => {
  const folder = await certPath("refused", ca!, await stranger!.issue("client"));
  expect(await reasonOf(folder)).toMatch(
    /does not accept …\/refused\/cert\.pem: have it signed|closed the connection: does it accept …\/refused\/cert\.pem/,
  );
});

test("files that do not belong together", async () => {
  const { cert } = await ca!.issue("one");
  const folder = await certPath("mixed", ca!, { cert, key: (await ca!.issue("two")).key });
  expect(await reasonOf(folder)).toMatch(/the key must be that of the certificate/);
});

test("an engine under a name that its certificate is not for", async () => {
  const folder = await certPath("other-name", ca!, await ca!.issue("client"));
  expect(await reasonOf(folder, otherHost)).toMatch(/is for other names: use one of them in DOCKER_HOST/);
});

test("a client's certificate that has expired, and its renewal", async () => {
  const folder = await certPath("expired", ca!, await ca!.issue("old", { days: -1 }));
  expect(await reasonOf(folder)).toMatch(
    /says that …\/expired\/cert\.pem has expired: renew it|closed the connection: does it accept …\/expired\/cert\.pem/,
  );
  await certPath("expired", ca!, await ca!.issue("new"));
  expect(await reasonOf(folder)).toBe("it can be used");
});

test("an engine's certificate that has expired; renewed files are read without a restart of ours", async () => {
  const folder = await certPath("renewed", ca!, await ca!.issue("before"));
  const kept = board({ names: ["docker"], onChange: () => undefined, now: Date.now });
  const settings = {
    source: "docker",
    labelPrefix: "x",
    enableByDefault: false,
    defaultBackend: "b",
    network: null,
  };
  const source = dockerSource({ connection: { host, certPath: folder }, settings, now: Date.now });
  const controller = new AbortController();
  const ended = keepRunning({ source, board: kept, log: nullLogger, signal: controller.signal });
  const slow = { timeoutMs: 30_000 };
  try {
    await eventually(() => expect(kept.sources()[0]).toMatchObject({ state: "live" }), slow);
    await restartWith(ca!, await ca!.issue("late", { days: -1 }));
    await eventually(() => {
      const reason = /the certificate of the Docker engine at 127\S+ has expired: renew it there/;
      expect(kept.sources()[0]).toMatchObject({ state: "down", error: expect.stringMatching(reason) });
    }, slow);
    // Everything new: the authority, the engine's certificate, and ours.
    await restartWith(stranger!, await stranger!.issue("engine"));
    await certPath("renewed", stranger!, await stranger!.issue("after"));
    await eventually(() => expect(kept.sources()[0]).toMatchObject({ state: "live" }), slow);
  } finally {
    controller.abort();
    await ended;
  }
});

/** The engine reads its files only when it starts. */
async function restartWith(authority: ThrowawayCa, certificate: Certificate): Promise<void> {
  await engine.stop();
  await certPath("engine-files", authority, certificate);
  await engine.start();
}

import { once } from "node:events";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { askDaemon } from "../../src/ask-daemon.ts";
import { readConfig } from "../../src/config.ts";
import { daemonRoutes } from "../../src/observe/daemon-routes.ts";
import { startHttp } from "../../src/observe/http.ts";
import { metrics } from "../../src/observe/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { healthyStatus } from "../support/status.ts";
import { tempDir } from "../support/temp-dir.ts";
import { throwawayCa } from "../support/throwaway-ca.ts";

const routes = daemonRoutes({ status: healthyStatus, metrics: metrics({ status: healthyStatus }) });
const TOKEN = "0123456789abcdef";

/** Rollcall's HTTPS server with a certificate of an authority that nobody knows. */
async function serveTls(given: { clientTimeoutMs?: number } = {}) {
  const dir = await tempDir();
  const authority = await throwawayCa(dir.path);
  const [cert, key, tokenFile] = [join(dir.path, "cert"), join(dir.path, "key"), join(dir.path, "token")];
  const use = async (name: string): Promise<void> => {
    const issued = await authority.issue(name);
    await copyFile(issued.key, key);
    await copyFile(issued.cert, cert);
  };
  await use("first");
  await writeFile(tokenFile, TOKEN);
  const { log, lines } = recordingLogger();
  const port = await freePort();
  const server = await startHttp({
    host: "127.0.0.1",
    port,
    routes,
    log,
    tokenFile,
    tls: { cert, key },
    ...given,
  });
  const own = [
    ["http", `127.0.0.1:${port}`],
    ["http-cert", cert],
    ["http-key", key],
    ["http-token-file", tokenFile],
  ] as const;
  return {
    server,
    port,
    lines,
    authority,
    use,
    key,
    own,
    tokenFile,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const configOf = (flags: readonly (readonly [string, string])[]) =>
  readConfig({ flags: new Map(flags), env: {}, readFile: () => null }).config;
const { signal } = new AbortController();
const ask = (flags: readonly (readonly [string, string])[], url: string | null) =>
  askDaemon({ config: configOf(flags), url, signal });

/** The subject of the certificate that a new connection is shown. */
async function shown(port: number): Promise<string | undefined> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

test("rollcall status asks over TLS: at home it knows the certificate itself, elsewhere by http-ca", async () => {
  await using http = await serveTls();
  expect((await ask(http.own, null)).status.version).toBe("1.2.3");
  const [url, token] = [`https://localhost:${http.port}`, ["http-token-file", http.tokenFile] as const];
  expect((await ask([["http-ca", http.authority.ca], token], url)).status.version).toBe("1.2.3");
  await expect(ask([token], url)).rejects.toThrow(/http-ca names who signed its certificate/);
  await expect(ask([["http-ca", http.authority.ca]], url)).rejects.toThrow(/it wants the token/);
  // Another certificate of the same authority is not ours, even where the file names that authority too.
  const other = await http.authority.issue("other");
  await writeFile(
    other.cert,
    (await Promise.all([other.cert, http.authority.ca].map((path) => readFile(path)))).join(""),
  );
  const impostor = http.own.map(
    ([name, value]) => [name, name === "http-cert" ? other.cert : value] as const,
  );
  await expect(ask(impostor, null)).rejects.toThrow(/its certificate is not the one in http-cert/);
});

test("new files are taken without a restart; while they are no pair, the old ones go on", async () => {
  await using http = await serveTls();
  expect(await shown(http.port)).toBe("first");
  await copyFile((await http.authority.issue("stray")).key, http.key);
  await eventually(() =>
    expect(http.lines).toContainEqual(
      expect.objectContaining({ level: "warn", message: "the HTTP server goes on with its old certificate" }),
    ),
  );
  expect(await shown(http.port)).toBe("first");
  await http.use("second");
  await eventually(async () => expect(await shown(http.port)).toBe("second"));
  expect((await ask(http.own, null)).status.version).toBe("1.2.3");
});

test("who speaks no TLS, or an old one, or nothing at all, gets nothing and holds up nothing", async () => {
  await using http = await serveTls({ clientTimeoutMs: 300 });
  const plain = once(get({ port: http.port, host: "127.0.0.1", agent: false }), "response");
  await expect(plain).rejects.toThrow(/socket hang up|ECONNRESET/);
  const old = connectTls({
    port: http.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    maxVersion: "TLSv1.1",
    minVersion: "TLSv1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  await expect(once(old, "secureConnect")).rejects.toThrow(/alert|protocol/i);
  const silent = connect(http.port, "127.0.0.1");
  let isCut = false;
  silent.on("error", () => undefined).once("close", () => (isCut = true));
  await eventually(() => expect(isCut).toBe(true));
});

test("close cuts a connection in which TLS is not agreed upon yet", async () => {
  await using http = await serveTls();
  const silent = connect(http.port, "127.0.0.1");
  silent.on("error", () => undefined);
  const closed = once(silent, "close");
  await once(silent, "connect");
  // Its turn to be accepted comes before that of one that came later and was answered.
  expect(await shown(http.port)).toBe("first");
  const startedAt = performance.now();
  await http.server.close();
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test("a key that does not belong to the certificate is refused at the start", async () => {
  await using dir = await tempDir();
  const authority = await throwawayCa(dir.path);
  const [one, other] = [await authority.issue("one"), await authority.issue("other")];
  const { log } = recordingLogger();
  const start = (tls: { cert: string; key: string }) =>
    startHttp({ host: "127.0.0.1", port: 0, routes, log, tls });
  await expect(start({ cert: one.cert, key: other.key })).rejects.toThrow(
    /^HTTP is not served, because of the option http-cert: the certificate \S+ and the key \S+ cannot be used: .*mismatch/,
  );
  await expect(start({ cert: one.cert, key: join(dir.path, "none") })).rejects.toThrow(/ENOENT/);
});

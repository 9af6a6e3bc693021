import { chmod, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentStatus } from "../../src/core/agent-status.ts";
import { agentMetrics } from "../../src/observe/agent-metrics.ts";
import { agentRoutes } from "../../src/observe/agent-routes.ts";
import { type Routes, textAnswer } from "../../src/observe/answer.ts";
import { daemonRoutes } from "../../src/observe/daemon-routes.ts";
import { startHttp } from "../../src/observe/http.ts";
import { metrics } from "../../src/observe/metrics.ts";
import { readConfig } from "../../src/config.ts";
import { examineExposure } from "../../src/examine-exposure.ts";
import { serveHttp } from "../../src/serve-http.ts";
import { nullLogger } from "../support/null-logger.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { healthyStatus } from "../support/status.ts";
import { tempDir } from "../support/temp-dir.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const DAEMON = daemonRoutes({ status: healthyStatus, metrics: metrics({ status: healthyStatus }) });
let changed = 0;
/** As a later endpoint that changes something would be. */
const WITH_CHANGE: Routes = new Map([
  ...DAEMON,
  ["/api/change", { access: "change", answer: () => textAnswer(200, `changed ${++changed}`) }],
]);

/** A server with Rollcall's routes, one that changes something, and a token when one is given. */
async function serve(given: { token?: string; host?: string } = {}) {
  const dir = await tempDir();
  const file = join(dir.path, "token");
  if (given.token !== undefined) await writeFile(file, given.token);
  const { log, lines } = recordingLogger();
  const server = await startHttp({
    host: given.host ?? "127.0.0.1",
    port: 0,
    routes: WITH_CHANGE,
    log,
    tokenFile: given.token === undefined ? null : file,
  });
  const port = Number(/:([0-9]+)$/.exec(server.address)?.[1]);
  return {
    file,
    lines,
    /** `fetch` would not let us set the host. */
    ask: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      ask({ port, path, headers, method }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function ask(given: { port: number; path: string; headers: Record<string, string>; method: string }) {
  return new Promise<{ code: number; text: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const sent = request({ host: "127.0.0.1", agent: false, ...given }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () => resolve({ code: answer.statusCode ?? 0, text, headers: answer.headers }));
      });
      sent.on("error", reject).end();
    },
  );
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("with a token", () => {
  test.each(["/", "/metrics", "/api/status", "/api/change", "/nothing", "/livez/../metrics"])(
    "%s is for those alone who have it",
    async (path) => {
      await using http = await serve({ token: `${TOKEN}\n` });
      const refused = [
        {},
        bearer(""),
        bearer(TOKEN.slice(1)),
        bearer(`${TOKEN}0`),
        bearer(`${TOKEN},${TOKEN}`),
        { authorization: TOKEN },
        { authorization: `Basic ${btoa(`:${TOKEN}`)}` },
        { cookie: `authorization=Bearer ${TOKEN}` },
      ];
      for (const headers of refused) {
        const { code, text, headers: answered } = await http.ask(path, headers);
        expect([code, text]).toEqual([401, expect.stringMatching(/^this needs the header /)]);
        expect(answered["www-authenticate"]).toBe('Bearer realm="rollcall"');
      }
      expect((await http.ask(`${path}?token=${TOKEN}`)).code).toBe(401);
      expect((await http.ask(path, bearer(TOKEN))).code).not.toBe(401);
    },
  );

  test("probes need none, and are told the verdict alone", async () => {
    await using http = await serve({ token: TOKEN });
    for (const path of ["/livez", "/readyz"]) {
      const [stranger, known] = [await http.ask(path), await http.ask(path, bearer(TOKEN))];
      expect(stranger).toMatchObject({ code: known.code, text: `${known.text.split("\n")[0]}\n` });
    }
    const sick = { ...healthyStatus(), haproxy: { ...healthyStatus().haproxy, pid: null } };
    const routes = daemonRoutes({ status: () => sick, metrics: metrics({ status: () => sick }) });
    const { port, stop } = await bare({ routes, tokenFile: http.file });
    const [stranger, known] = [{}, bearer(TOKEN)].map((headers) =>
      ask({ port, path: "/readyz", headers, method: "GET" }),
    );
    expect(await stranger).toMatchObject({ code: 503, text: "not ready\n" });
    expect(await known).toMatchObject({
      code: 503,
      text: expect.stringMatching(/^not ready\nHAProxy has not/),
    });
    await stop();
  });

  test("what is written into its file counts at once; while there is none in it, nobody is let in", async () => {
    await using http = await serve({ token: TOKEN });
    const [old, next] = [bearer(TOKEN), bearer("f".repeat(16))];
    await writeFile(http.file, "f".repeat(16));
    expect((await http.ask("/", old)).code).toBe(401);
    expect((await http.ask("/", next)).code).toBe(200);
    for (const text of ["", "short"]) {
      await writeFile(http.file, text);
      for (const headers of [next, bearer(text)]) {
        expect((await http.ask("/", headers)).code).not.toBe(200);
      }
    }
    await rm(http.file);
    expect((await http.ask("/", next)).code).toBe(503);
    expect((await http.ask("/readyz", next)).code).toBe(200);
    const warned = http.lines.filter(({ level }) => level === "warn").map(({ reason }) => String(reason));
    expect(warned).toEqual([
      expect.stringMatching(/has no token of 16/),
      expect.stringMatching(/cannot be read: ENOENT/),
    ]);
    await writeFile(http.file, TOKEN);
    expect((await http.ask("/", old)).code).toBe(200);
  });

  test.each(["", " \n", "15-characters-x", "two words are none", "sechzehn-zeichen-ü"])(
    "%j is none, and is not repeated",
    async (token) => {
      const refused = serve({ token });
      await expect(refused).rejects.toThrow(
        /^HTTP is not served, because of the option http-token-file: \S+ has no token of 16 .* "openssl rand -hex 32"$/,
      );
      if (token.trim() !== "") await expect(refused).rejects.not.toThrow(token);
    },
  );
});

describe("what changes something", () => {
  test("is there for nobody while there is no token", async () => {
    await using http = await serve();
    const before = changed;
    for (const headers of [{}, bearer(TOKEN), bearer("")]) {
      for (const method of ["POST", "GET", "PUT"]) {
        expect(await http.ask("/api/change", headers, method)).toMatchObject({
          code: 403,
          text: "nothing is changed from here without a token: set http-token-file\n",
        });
      }
    }
    expect(changed).toBe(before);
  });

  test("is asked by POST with the token, and not otherwise", async () => {
    await using http = await serve({ token: TOKEN });
    const before = changed;
    const codes = async (headers: Record<string, string>) => {
      const answers = ["POST", "GET", "HEAD", "PUT"].map((method) =>
        http.ask("/api/change", headers, method),
      );
      return (await Promise.all(answers)).map(({ code }) => code);
    };
    expect(await codes({})).toEqual([401, 401, 401, 401]);
    expect(changed).toBe(before);
    expect(await codes(bearer(TOKEN))).toEqual([200, 405, 405, 405]);
    expect(changed).toBe(before + 1);
  });

  test("is none of Rollcall's endpoints; without the token there are but two", () => {
    const status = (): AgentStatus => {
      throw new Error("nobody asks");
    };
    for (const routes of [DAEMON, agentRoutes({ status, metrics: agentMetrics({ status }) })]) {
      const by = (access: string) =>
        [...routes].filter(([, one]) => one.access === access).map(([path]) => path);
      expect(by("open")).toEqual(["/livez", "/readyz"]);
      expect(by("change")).toEqual([]);
    }
  });
});

describe("names", () => {
  const OWN = ["127.0.0.1", "localhost:8405", "LOCALHOST.", "[::1]:8405", "10.0.0.1"];
  const FOREIGN = [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8405",
    "a@127.0.0.1",
    "x/127.0.0.1",
    "%31",
  ];

  test("of others are refused on a loopback address: a page that let its name lead here is not answered", async () => {
    await using http = await serve({ token: TOKEN });
    for (const host of OWN) expect([host, (await http.ask("/livez", { host })).code]).toEqual([host, 200]);
    for (const host of FOREIGN) {
      const { code, text } = await http.ask("/livez", { host, ...bearer(TOKEN) });
      expect([host, code]).toEqual([host, 421]);
      expect(text).toMatch(/^this address is for its own machine/);
    }
  });

  test("are not looked at on other addresses", async () => {
    await using http = await serve({ host: "0.0.0.0" });
    expect((await http.ask("/livez", { host: "lb1.example" })).code).toBe(200);
  });
});

describe("an address that others reach", () => {
  const configOf = (...flags: [string, string][]) =>
    readConfig({ flags: new Map(flags), env: {}, readFile: () => null }).config;

  test("without a token is told of, in the log and by the doctor", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "token");
    await writeFile(file, TOKEN, { mode: 0o600 });
    for (const [config, warned] of [
      [configOf(["http", "0.0.0.0:18405"]), true],
      [configOf(["http", "0.0.0.0:18405"], ["http-token-file", file]), false],
      [configOf(["http", "127.0.0.1:18405"]), false],
    ] as const) {
      const { log, lines } = recordingLogger();
      await (
        await serveHttp({
          config: { ...config, http: { host: config.http?.host ?? "", port: 0 } },
          routes: DAEMON,
          log,
        })
      )?.close();
      expect(
        lines.some(({ level, message }) => level === "warn" && message.startsWith("everybody who reaches")),
      ).toBe(warned);
      const [found] = await examineExposure(config);
      expect([found?.what, found?.state]).toEqual(["http", warned ? "warning" : "good"]);
    }
  });

  test("a password that goes over the network in the clear is told of", async () => {
    const config = configOf(
      [
        "etcd-endpoints",
        "http://10.0.0.1:2379,https://10.0.0.2:2379,http://127.0.0.1:2379,http://[::1]:2379",
      ],
      ["etcd-password-file", "/nowhere"],
    );
    const found = (await examineExposure(config)).filter(({ state }) => state !== "good");
    expect(found.map(({ detail }) => detail)).toEqual([
      "the password goes to http://10.0.0.1:2379 in the clear: let the endpoint be https://",
    ]);
  });

  test("files with secrets that everybody can read are told of", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "token");
    await writeFile(file, TOKEN, { mode: 0o644 });
    await chmod(file, 0o644);
    const config = configOf(["http-token-file", file]);
    expect(await examineExposure(config)).toContainEqual({
      what: "http-token-file",
      state: "warning",
      detail: `every user of this machine can read ${file}: chmod o-r ${file}`,
    });
    await chmod(file, 0o640);
    expect(await examineExposure(config)).toHaveLength(1);
    await writeFile(file, "short");
    expect(await examineExposure(config)).toMatchObject([
      { state: "bad", detail: expect.stringContaining("openssl") },
    ]);
  });
});

/** A server of other routes with the same token. */
async function bare(given: { routes: Routes; tokenFile: string }) {
  const server = await startHttp({ host: "127.0.0.1", port: 0, log: nullLogger, ...given });
  return { port: Number(server.address.split(":")[1]), stop: () => server.close() };
}

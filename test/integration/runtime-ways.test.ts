import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { abilitiesOf } from "../../src/core/abilities.ts";
import { plan } from "../../src/core/plan.ts";
import { readStamp } from "../../src/core/stamp.ts";
import { adjust } from "../../src/haproxy/adjust.ts";
import { leaving } from "../../src/haproxy/leaving.ts";
import { type AppServer, startApp } from "../support/app-server.ts";
import { eventually } from "../support/eventually.ts";
import { serversOfFreshStart } from "../support/fresh-start.ts";
import { type HaproxyProcess, startHaproxy } from "../support/haproxy-process.ts";
import { describeServer, runningServers } from "../support/running-servers.ts";
import { stacksOfSuite } from "../support/stacks.ts";
import { tempDir } from "../support/temp-dir.ts";

/** A configuration with one backend, whose socket and bind are in `dir`. */
const textOf = (dir: string, body: string, backend = "b"): string => `global
  stats socket ${dir}/admin.sock mode 600 level admin
  external-check
  insecure-fork-wanted
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  default-server rise 5
frontend main
  bind unix@${dir}/main.sock
  default_backend ${backend}
backend ${backend}
  balance roundrobin
${body
  .split("\n")
  .map((line) => `  ${line}\n`)
  .join("")}`;

/** Brings a HAProxy from one text to the other where the plan says that no reload is needed. */
async function bring(given: { haproxy: HaproxyProcess; before: string; after: string }): Promise<boolean> {
  const [applied, candidate] = [readStamp(given.before), readStamp(given.after)];
  const version = /^Version: (.*)$/m.exec(await given.haproxy.show("show info"))?.[1] ?? "";
  const input = { abilities: abilitiesOf(version), leaving: new Map(), admitChecked: false };
  const todo = plan({ applied, candidate, ...input });
  if (todo.kind !== "runtime") return false;
  const socketPath = given.haproxy.statsSocket;
  const change = { before: applied.sections, after: candidate.sections, operations: todo.operations };
  const gone = leaving({ socketPath, timeoutMs: 60_000, monotonicMs: () => performance.now() });
  const pid = await given.haproxy.workerPid();
  await adjust({ ...change, pid, version }, { socketPath, leaving: gone });
  return true;
}

async function started(version: HaproxyVersion, dir: string, text: string): Promise<HaproxyProcess> {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "haproxy.cfg"), text);
  return startHaproxy({ version, configFile: join(dir, "haproxy.cfg"), dir });
}

/** One request over the unix socket of the frontend; what it answers, or the error. */
const ask = (dir: string, path = "/"): Promise<string> =>
  new Promise((resolve) => {
    const sent = request({ socketPath: join(dir, "main.sock"), path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("close", () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`));
    });
    sent.on("error", (error) => resolve(error.message)).end();
  });

const INHERITED =
  "inter 3s fall 6 fastinter 1s downinter 1s port 80 addr 127.0.0.2 minconn 2 maxqueue 5 slowstart 5s send-proxy-v2 proto h1";
const TLS =
  "ssl verify none sni str(a) alpn http/1.1 check-ssl check-sni a check-alpn http/1.1 ciphers AES128-SHA";
const MORE = `${TLS} ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3 no-ssl-reuse on-marked-up shutdown-backup-sessions observe layer4 error-limit 5 ws h1`;
const LAST = "on-error mark-down pool-max-conn 5 pool-low-conn 5 pool-purge-delay 5s no-tls-tickets backup";

/** Text before and after; what runs then must be what a fresh start runs, or the plan must want a reload. */
const PAIRS: Readonly<Record<string, { before: string; after: string; backend?: string }>> = {
  "a limit without its lower one": {
    before: "server a 127.0.0.1:9 minconn 10 maxconn 50",
    after: "server a 127.0.0.1:9 minconn 10",
  },
  "a limit below the lower one": {
    before: "server a 127.0.0.1:9 minconn 20 maxconn 10",
    after: "server a 127.0.0.1:9 minconn 20 maxconn 15",
  },
  "a backend named from": {
    before: "server a 127.0.0.1:9",
    after: "server a 127.0.0.1:9\nserver c 127.0.0.1:9 check",
    backend: "from",
  },
  "more words than the socket takes": {
    before: `server a 127.0.0.1:9\ndefault-server ${INHERITED}`,
    after: `server a 127.0.0.1:9\ndefault-server ${INHERITED}\nserver c 127.0.0.1:9 check ${MORE} ${LAST}`,
  },
};

describe.each(haproxyVersions)("HAProxy %s, told over its socket", (version) => {
  it.each(Object.entries(PAIRS))(
    "runs what a fresh start runs: %s",
    async (_, { before, after, backend }) => {
      await using dir = await tempDir();
      const [from, to] = [before, after].map((body) => textOf(dir.path, body, backend)) as [string, string];
      await using haproxy = await started(version, dir.path, from);
      if (!(await bring({ haproxy, before: from, after: to }))) return;
      const fresh = await serversOfFreshStart({ version, text: to, dir: dir.path });
      expect((await runningServers(haproxy)).map(describeServer)).toEqual(fresh.map(describeServer));
    },
  );

  it("lives on when a server with an external check comes", async () => {
    await using dir = await tempDir();
    const lines = "option external-check\nexternal-check command /bin/true\nserver a 127.0.0.1:9";
    const from = textOf(dir.path, lines);
    const to = textOf(dir.path, `${lines}\nserver c 127.0.0.1:9 check inter 20ms`);
    await using haproxy = await started(version, dir.path, from);
    if (!(await bring({ haproxy, before: from, after: to }))) return;
    await eventually(async () => expect(await haproxy.show("show stat b 4 -1")).toMatch(/PROCOK/));
  });

  it("uses the backup that stands first in the file", async () => {
    await using dir = await tempDir();
    await using first = await startApp({ name: "first" });
    await using second = await startApp({ name: "second" });
    const texts = [
      `default-server backup\nserver m ${second.address}`,
      `default-server backup\nserver d ${first.address}\nserver m ${second.address}`,
    ].map((body) => textOf(dir.path, body)) as [string, string];
    await using haproxy = await started(version, dir.path, texts[0]);
    if (await bring({ haproxy, before: texts[0], after: texts[1] }))
      expect(await ask(dir.path)).toBe("first");
  });

  it("lets requests end that a removed server has, whatever its line says of marking it down", async () => {
    await using dir = await tempDir();
    await using app = await startApp({ name: "app" });
    const lines = "default-server on-marked-down shutdown-sessions\nserver a 127.0.0.1:9 disabled";
    const [from, to] = [`${lines}\nserver c ${app.address}`, lines].map((body) => textOf(dir.path, body)) as [
      string,
      string,
    ];
    await using haproxy = await started(version, dir.path, from);
    const open = ask(dir.path, "/slow?ms=500");
    await untilAsked(app);
    await bring({ haproxy, before: from, after: to });
    expect(await open).toBe("app");
  });
});

const untilAsked = (app: AppServer): Promise<void> =>
  eventually(() => expect(app.requests).toBeGreaterThan(0));

describe("a HAProxy that is restarted before its file has followed", () => {
  const stackOf = stacksOfSuite();

  it.concurrent.each(haproxyVersions)("HAProxy %s runs the limit that is wanted", async (version) => {
    const stack = stackOf(version);
    const { address } = await stack.app("app", { register: false });
    const limit = (maxconn: number): Promise<unknown> =>
      stack.etcd.put("/app/servers/web1", `${address} maxconn=${maxconn}`);
    await limit(10);
    await eventually(() => expect(stack.config()).toMatch(/maxconn 10\b/));
    // While the file is written with this one, the next one reaches HAProxy only.
    await limit(11);
    await limit(20);
    await runsLimit(stack.haproxy, 20);
    await stack.haproxy.restart();
    await eventually(() => expect(stack.config()).toMatch(/maxconn 20\b/), { timeoutMs: 10_000 });
    await runsLimit(stack.haproxy, 20);
  });
});

const runsLimit = (haproxy: HaproxyProcess, maxconn: number): Promise<void> =>
  eventually(async () => expect((await runningServers(haproxy))[0]?.maxconn).toBe(`${maxconn}`));

import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { guardedEtcd } from "../support/guarded-etcd.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const [PASSWORD, WRONG_PASSWORD] = ["p4ss word", "wr0ng p4ss"];
const [TOKEN, WRONG_TOKEN] = ["t0ken-of-the-daemon-1", "t0ken-of-somebody-2"];
const SECRETS = [PASSWORD, WRONG_PASSWORD, TOKEN, WRONG_TOKEN];
const FORMS = SECRETS.flatMap((one) => [
  one,
  encodeURIComponent(one),
  btoa(one),
  Buffer.from(one).toString("hex"),
]);

const MAY = ["/app/servers/", "/app/overrides/", "/app/owners/"].map(
  (prefix) => `--prefix=true readwrite ${prefix}`,
);

test("passwords and tokens stay in their files: not in answers, logs, output, arguments, other files", async () => {
  await using guarded = await guardedEtcd({ lb: MAY });
  await using dir = await tempDir();
  const [tokenFile, passwordFile] = [join(dir.path, "token"), guarded.passwordFile("lb")];
  await writeFile(tokenFile, TOKEN, { mode: 0o600 });
  await writeFile(passwordFile, WRONG_PASSWORD);
  const secret = { "etcd-username": "lb", "etcd-password-file": passwordFile, "http-token-file": tokenFile };
  const stateDir = join(dir.path, "state");
  await using stack = await startStack({
    version: "3.0",
    etcd: guarded.etcd,
    options: { ...secret, "state-dir": stateDir, watch: "/app/servers/" },
  });
  const said: string[] = [];
  const ask = async (path: string, token: string) => {
    const answer = await fetch(stack.daemon.url + path, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    said.push(JSON.stringify([...answer.headers]), text);
    return { code: answer.status, text };
  };
  const isRefused = () => stack.daemon.log().some(({ reason }) => /password refused/.test(String(reason)));
  await eventually(() => expect(isRefused()).toBe(true), { timeoutMs: 30_000 });
  await ask("/readyz", TOKEN);
  await writeFile(passwordFile, PASSWORD);
  // Root writes, so that the name of a server is not the secret's only way in.
  await guarded.root("put", "/app/servers/web1", (await stack.app("web1", { register: false })).address);
  await stack.untilServed(["web1"]);

  for (const path of ["/", "/livez", "/readyz", "/metrics", "/api/status", "/nothing"]) {
    expect((await ask(path, TOKEN)).code).toBe(path === "/nothing" ? 404 : 200);
    await ask(`${path}?token=${TOKEN}`, WRONG_TOKEN);
  }
  said.push(...(await outputs(stack)));
  said.push(
    ...(await Promise.all(
      ["cmdline", "environ"].map((one) => readFile(`/proc/${stack.daemon.pid}/${one}`, "utf8")),
    )),
  );
  expect(await stack.daemon.kill("SIGTERM")).toBe(0);
  const files = await filesBelow(stack.dir, stateDir);
  // A test that looks at nothing finds nothing.
  for (const name of ["haproxy.cfg", "rollcall.log", ".json"]) {
    expect(files.some((path) => path.endsWith(name))).toBe(true);
  }
  for (const path of files) said.push(await readFile(path, "latin1"));
  expect(said.join("\n")).toContain("/app/servers/web1");
  expect(FORMS.filter((form) => said.some((text) => text.includes(form)))).toEqual([]);
});

test("files have the modes that were promised", async () => {
  await using dir = await tempDir();
  const stateDir = join(dir.path, "state");
  await mkdir(stateDir, { mode: 0o750 });
  await using stack = await startStack({ version: "3.0", options: { "state-dir": stateDir } });
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  const written = async () => {
    const names = (await readdir(stack.dir)).filter((name) => name.startsWith("haproxy.cfg"));
    return Promise.all(names.map(async (name) => `${name} ${await modeOf(join(stack.dir, name))}`));
  };
  expect(await written()).toContain("haproxy.cfg 644");

  await chmod(stack.configFile, 0o640);
  await stack.app("api1", { backend: "api" });
  await eventually(async () => {
    expect(stack.config()).toContain("api1");
    expect(await written()).toEqual(expect.arrayContaining(["haproxy.cfg 640", "haproxy.cfg.good 640"]));
  });
  await eventually(async () => {
    const remembered = await filesBelow(stateDir);
    expect(remembered).not.toEqual([]);
    expect(new Set(await Promise.all(remembered.map(modeOf)))).toEqual(new Set(["600"]));
  });
});

/** What the commands print of a daemon that runs, whatever they think of it. */
async function outputs(stack: Stack): Promise<readonly string[]> {
  const flags = Object.entries({ ...stack.options, http: new URL(stack.daemon.url).host }).flatMap(
    ([name, value]) => [`--${name}`, value],
  );
  const commands = [
    ["status"],
    ["status", "--json"],
    ["check"],
    ["check", "--json"],
    ["ls"],
    ["drain", "web1"],
    ["render"],
  ];
  const all: string[] = [];
  for (const command of commands) {
    const { code, stdout, stderr } = await rollcall([...command, ...flags]);
    expect([command, [0, 1, 2].includes(code)]).toEqual([command, true]);
    all.push(stdout, stderr);
  }
  return all;
}

/** Paths of all regular files in these folders. */
async function filesBelow(...folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map((path) => readdir(path, { withFileTypes: true, recursive: true })),
  );
  return found
    .flat()
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
}

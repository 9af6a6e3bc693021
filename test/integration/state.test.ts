import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function start(options: Record<string, string> = {}): Promise<{ stack: Stack; state: string }> {
  const dir = await tempDir();
  open.push(dir);
  const state = join(dir.path, "state");
  const stack = await startStack({
    version: "3.0",
    options: { "state-dir": state, "start-timeout": "1s", ...options },
  });
  open.push(stack);
  return { stack, state };
}

/** Resolves when the state folder has what etcd had at this revision or later. */
async function untilRemembered(state: string, text: string): Promise<void> {
  await eventually(async () => {
    expect(await readFile(join(state, "source-etcd.json"), "utf8")).toContain(text);
  });
}

/** HAProxy as it is in a container that was made anew: the first configuration, without servers. */
async function forgetConfiguration(stack: Stack): Promise<void> {
  const flags = Object.entries(stack.options).flatMap(([name, value]) => [`--${name}`, value]);
  const written = await rollcall(["render", "--write", "--from", "/dev/null", ...flags]);
  expect(written).toMatchObject({ code: 0 });
  await stack.haproxy.restart();
}

/** Runs one of the operator's commands beside the daemon. */
async function command(
  stack: Stack,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { "state-dir": state = "" } = stack.options;
  const http = stack.daemon.url.replace("http://", "");
  return rollcall([...args, "--state-dir", state, "--http", http, "--docker", "off"]);
}

test("with etcd down and nothing else left, what was known is served, and its age is told", async () => {
  const { stack, state } = await start();
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await untilRemembered(state, "/app/servers/web1");
  await stack.daemon.kill("SIGKILL");
  await stack.etcd.kill();
  await forgetConfiguration(stack);
  await stack.untilServed(["503"]);
  await stack.daemon.restart();
  await stack.untilServed(["web1"]);
  await eventually(async () => {
    const { code, text } = await stack.daemon.get("/readyz");
    expect(code).toBe(200);
    expect(text).toMatch(
      /Source etcd has not answered for .*; what is known of it is [0-9]+ s old, from the state folder/,
    );
  });
  expect((await stack.daemon.status()).sources[0]).toMatchObject({ state: "starting", recalled: true });
  await stack.etcd.restart();
  await stack.etcd.del("/app/servers/web1");
  await stack.untilServed(["503"]);
  expect((await stack.daemon.status()).sources[0]).toMatchObject({ state: "live", recalled: false });
});

test("what vanished while Rollcall was away is held, what was deleted is not", async () => {
  const { stack, state } = await start();
  for (const name of ["leased", "deleted", "stays"]) await stack.app(name, { register: name !== "leased" });
  const leased = await stack.app("leased2", { register: false });
  const lease = /lease ([0-9a-f]+)/.exec(await stack.etcd.ctl("lease", "grant", "600"))?.[1] ?? "";
  await stack.etcd.ctl("put", `--lease=${lease}`, "/app/servers/leased2", leased.address);
  await stack.untilServed(["deleted", "leased2", "stays"]);
  await untilRemembered(state, "/app/servers/leased2");
  await stack.daemon.kill("SIGKILL");
  await stack.etcd.ctl("lease", "revoke", lease);
  await stack.etcd.del("/app/servers/deleted");
  await stack.daemon.restart();
  await stack.untilServed(["leased2", "stays"]);
  await eventually(async () =>
    expect((await stack.daemon.status()).held.map(({ name }) => name)).toEqual(["leased2"]),
  );
  // Also over a second restart, though the store has had no such key for long.
  await eventually(async () =>
    expect(await readFile(join(state, "source-etcd.json"), "utf8")).toMatch(/"vanished":\[\[/),
  );
  await stack.daemon.kill("SIGKILL");
  await stack.daemon.restart();
  await eventually(async () =>
    expect((await stack.daemon.status()).held.map(({ name }) => name)).toEqual(["leased2"]),
  );
  expect(await command(stack, "release", "leased2")).toMatchObject({ code: 0 });
  await stack.untilServed(["stays"]);
  // What was let go is not taken back by a later process.
  await eventually(async () =>
    expect(await readFile(join(state, "source-etcd.json"), "utf8")).toMatch(/"vanished":\[\]/),
  );
});

test("an earlier configuration can be brought back, and stays until it is released", async () => {
  const { stack, state } = await start();
  await stack.app("web1");
  await stack.app("web2");
  await stack.untilServed(["web1", "web2"]);
  await eventually(async () => {
    const { stdout } = await command(stack, "history", "--json");
    expect((JSON.parse(stdout) as { servers: number }[])[0]?.servers).toBe(2);
  });
  const [good] = JSON.parse((await command(stack, "history", "--json")).stdout) as { number: number }[];
  const number = String(good?.number);
  await stack.etcd.del("/app/servers/web1");
  await stack.etcd.del("/app/servers/web2");
  await stack.untilServed(["503"]);
  expect((await command(stack, "history", number, "--text")).stdout).toContain("server web2 ");
  const back = await command(stack, "rollback", number);
  expect(back.stderr + back.stdout).toContain(`HAProxy runs entry ${number}`);
  expect(back.code).toBe(0);
  await stack.untilServed(["web1", "web2"]);

  // It is written soon after, not before: a kill in between would cost the entry.
  await eventually(async () =>
    expect((await command(stack, "history")).stdout).toContain(`rolled back to entry ${number}`),
  );
  await stack.app("web3");
  await stack.daemon.kill("SIGKILL");
  await stack.daemon.restart();
  await eventually(async () => {
    const { code, text } = await stack.daemon.get("/readyz");
    expect(code).toBe(200);
    expect(text).toContain(`Rolled back to entry ${number} of the history`);
  });
  await stack.untilServed(["web1", "web2"]);
  expect((await stack.daemon.status()).rolledBack).toMatchObject({ entry: Number(number) });
  expect(await command(stack, "rollback", "--release")).toMatchObject({ code: 0 });
  await stack.untilServed(["web3"]);
  await eventually(async () => {
    const { stdout } = await command(stack, "history");
    expect(stdout).toMatch(/added webserver\/web3/);
  });
  expect(await readdir(join(state, "history"))).not.toEqual([]);
});

test("more than half of a backend at once: done, told, and in the history", async () => {
  const { stack } = await start();
  for (const name of ["web1", "web2", "web3"]) await stack.app(name);
  await stack.untilServed(["web1", "web2", "web3"]);
  await stack.etcd.ctl("del", "/app/servers/web1", "/app/servers/web3");
  await stack.untilServed(["web3"]);
  await eventually(() =>
    expect(stack.daemon.log()).toContainEqual(
      expect.objectContaining({
        msg: "more than half of a backend was removed at once",
        removed: 2,
        before: 3,
      }),
    ),
  );
  await eventually(async () => {
    const { stdout } = await command(stack, "history");
    expect(stdout).toContain("2 of 3 servers of backend webserver went at once");
  });
});

test("a state folder that is cut off, from the future, or not to be had does no harm", async () => {
  const { stack, state } = await start();
  await stack.app("web1");
  await stack.untilServed(["web1"]);
  await untilRemembered(state, "/app/servers/web1");
  await stack.daemon.kill("SIGKILL");
  await truncate(join(state, "source-etcd.json"), 90);
  await writeFile(join(state, "history.json"), '{"format":2,"sha256":""}\n[]\n');
  await appendFile(join(state, "orders.json"), "nonsense");
  await stack.daemon.restart();
  await stack.app("web2");
  await stack.untilServed(["web1", "web2"]);
  const reasons = stack.daemon.log().map(({ reason }) => reason);
  expect(reasons).toContain("it is cut off, or was changed");
  expect(reasons).toContain("it is of format 2, of a later version of Rollcall");
  expect(reasons).toContain("it is cut off, or is none of Rollcall's");
  expect(await readdir(state)).toEqual(expect.arrayContaining(["source-etcd.json.bad", "orders.json.bad"]));

  const dir = await tempDir();
  open.push(dir);
  const file = join(dir.path, "file");
  await writeFile(file, "");
  await mkdir(join(dir.path, "x"));
  const other = await startStack({ version: "3.0", options: { "state-dir": join(file, "state") } });
  open.push(other);
  await other.app("web9");
  await other.untilServed(["web9"]);
  expect(other.daemon.log().map(({ msg }) => msg)).toContain("going on without a state folder");
});

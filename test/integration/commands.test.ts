import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { OPTION_NAMES } from "../../src/options.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { startStack } from "../support/stack.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const flagsOf = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);

describe("rollcall render", () => {
  it("prints what is wanted, shows the difference, and writes it: exit codes 0, 2 and 0", async () => {
    await using stack = await startStack({ version: "3.0", daemon: false });
    const flags = flagsOf(stack.options);
    expect(await rollcall(["render", "--diff", ...flags])).toMatchObject({ code: 0, stdout: "" });
    const app = await stack.app("web1");
    await stack.etcd.put("/app/servers/bad", "nonsense");
    const printed = await rollcall(["render", ...flags]);
    expect(printed.code).toBe(0);
    expect(printed.stdout).toContain(`server web1 ${app.address} check`);
    expect(printed.stderr + printed.stdout).not.toContain("server bad");
    const before = stack.config();
    const diff = await rollcall(["render", "--diff", ...flags]);
    expect(diff.code).toBe(2);
    expect(diff.stdout).toMatch(new RegExp(`^--- ${stack.configFile}.*\\n\\+\\+\\+ .*wanted`, "m"));
    expect(diff.stdout).toContain(`+    server web1 ${app.address}`);
    expect(stack.config()).toBe(before);
    expect((await rollcall(["render", "--write", ...flags])).code).toBe(0);
    expect(stack.config()).toContain(`server web1 ${app.address}`);
    expect(stack.reloads()).toBe(0);
    expect((await rollcall(["render", "--diff", ...flags])).code).toBe(0);
  });

  it("takes servers from a file, whatever etcd says, and keeps the file's mode", async () => {
    await using stack = await startStack({ version: "3.0", daemon: false });
    await stack.app("in-etcd");
    chmodSync(stack.configFile, 0o640);
    const from = join(stack.dir, "servers.yaml");
    writeFileSync(from, "web1: 127.0.0.1:81 weight=7\napi/a: {address: '127.0.0.1:82', backup: true}\n");
    const result = await rollcall(["render", "--write", "--from", from, ...flagsOf(stack.options)]);
    expect(result).toMatchObject({ code: 0 });
    expect(stack.config()).toMatch(/server web1 127\.0\.0\.1:81 .*weight 7/);
    expect(stack.config()).toMatch(/backend api\n[^]*server a 127\.0\.0\.1:82 .*backup/);
    expect(stack.config()).not.toContain("in-etcd");
    expect((await execa("stat", ["-c", "%a", stack.configFile])).stdout).toBe("640");
    expect(existsSync(`${stack.configFile}.next`)).toBe(false);
  });

  it("fails with exit code 1 and says which source does not answer, or what is wrong with the template", async () => {
    await using stack = await startStack({ version: "3.0", daemon: false });
    const before = stack.config();
    const template = join(stack.dir, "broken.eta");
    writeFileSync(template, "global\n<% if (true) { %>\n");
    const broken = await rollcall(["render", "--write", ...flagsOf({ ...stack.options, template })]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain("broken.eta:");
    await stack.etcd.kill();
    const silent = await rollcall(["render", "--write", ...flagsOf(stack.options)]);
    expect(silent.code).toBe(1);
    expect(silent.stderr).toMatch(/etcd http:\/\/127\.0\.0\.1:\d+: connection refused/);
    expect(stack.config()).toBe(before);
  });
});

describe("rollcall check", () => {
  it("finds nothing wrong where all is well", async () => {
    await using stack = await startStack({ version: "2.6" });
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    const result = await rollcall(["check", ...flagsOf(stack.options)]);
    expect(result.stdout.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([]);
    expect(result.code).toBe(0);
    const json = await rollcall(["check", "--json", ...flagsOf(stack.options)]);
    expect(JSON.parse(json.stdout)).toContainEqual(
      expect.objectContaining({ what: "reload", state: "good" }),
    );
  });

  it("names each trouble and its mend", async () => {
    await using stack = await startStack({ version: "3.0", daemon: false });
    await stack.etcd.put("/app/servers/bad", "127.0.0.1:99999");
    const check = async (options: Record<string, string>): Promise<string> => {
      const { code, stdout } = await rollcall(["check", ...flagsOf({ ...stack.options, ...options })]);
      expect(code).toBe(1);
      return stdout;
    };
    const quarantined = await rollcall(["check", ...flagsOf(stack.options)]);
    expect(quarantined.stdout).toMatch(/^look {2}etcd: quarantined \/app\/servers\/bad: port "99999"/m);
    expect(await check({ "haproxy-bin": "/nowhere/haproxy" })).toMatch(
      /BAD .*haproxy program: .*set haproxy-bin/,
    );
    expect(await check({ "haproxy-socket": "/nowhere/x.sock" })).toMatch(
      /BAD .*socket: .*ENOENT.*set haproxy-socket/,
    );
    expect(await check({ "haproxy-config": "/nowhere/x.cfg" })).toMatch(
      /BAD .*file: .*\/nowhere: ENOENT; create it/,
    );
    expect(await check({ "haproxy-master-socket": "/nowhere/m.sock" })).toMatch(/BAD .*master socket: .*-S/);
    expect(await check({ "haproxy-pid": "1" })).toMatch(
      /BAD .*reload: the configured pid 1 is not the master/,
    );
    expect(await check({ "docker-host": "unix:///nowhere.sock", docker: "on" })).toMatch(/BAD .*docker: /);
    const template = join(stack.dir, "t.eta");
    writeFileSync(template, `${readFileSync(stack.configFile, "utf8")}\nnonsense here\n`);
    expect(await check({ template })).toMatch(/BAD .*template: .*\[?line \d+.*nonsense/);
    await stack.etcd.kill();
    expect(await check({})).toMatch(/BAD .*etcd: .*connection refused/);
  });

  it("sees a bind mount of a single file, and the daemon says so too instead of writing beside it", async () => {
    await using stack = await startStack({ version: "3.0", daemon: false });
    const mount = `mount --bind ${stack.configFile} ${stack.configFile}`;
    const inMount = (args: readonly string[]) =>
      execa("unshare", ["-m", "sh", "-c", `${mount} && exec "$0" "$@"`, process.execPath, MAIN, ...args], {
        reject: false,
      });
    const checked = await inMount(["check", ...flagsOf(stack.options)]);
    expect(checked.stdout).toMatch(/BAD .*bind mount of a single file.*mount .* instead/);
    await stack.app("web1");
    const written = await inMount(["render", "--write", ...flagsOf(stack.options)]);
    expect(written.exitCode).toBe(1);
    expect(written.stderr).toContain("bind mount of a single file");
    expect(stack.config()).not.toContain("web1");
  });
});

describe("the command line", () => {
  it("helps on everything, and names every option", async () => {
    const general = await rollcall(["--help"]);
    expect(general.code).toBe(0);
    for (const command of ["run", "status", "render", "check", "version"]) {
      expect(general.stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
      const help = await rollcall([command, "--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`rollcall ${command} - `);
    }
    const run = await rollcall(["run", "--help"]);
    for (const name of OPTION_NAMES) expect(run.stdout).toContain(`--${name} `);
  });

  it("tells wrong usage (64) from wrong configuration (78), and reports all of it at once", async () => {
    const usage = await rollcall(["run", "--netwrk", "x"]);
    expect(usage).toMatchObject({ code: 64, stdout: "" });
    expect(usage.stderr).toContain("did you mean network?");
    const config = await rollcall(["run", "--http", "x", "--log-level", "loud"], {
      env: { ROLLCALL_RELOAD_INTERVALL: "1s" },
    });
    expect(config).toMatchObject({ code: 78, stdout: "" });
    expect(config.stderr.split("\n")).toHaveLength(3);
    expect((await rollcall([])).code).toBe(64);
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect((await rollcall(["version"])).stdout).toContain(
      `rollcall ${version} (Node.js ${process.versions.node})`,
    );
    expect(JSON.parse((await rollcall(["version", "--json"])).stdout)).toMatchObject({ rollcall: version });
  });
});

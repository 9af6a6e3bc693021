import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { installPackages } from "../../scripts/lab/apt.ts";
import { Child } from "../../scripts/lab/child.ts";
import { haproxyBinary, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startHaproxy } from "../support/haproxy-process.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLE = join(ROOT, "examples/plain-host");
const HAPROXY = "/usr/sbin/haproxy";

// Debian's own package: it brings the user, the folder for chroot and the error pages.
beforeAll(() => installPackages(["haproxy"]));

const SERVERS = `web1: 10.0.0.5:80
web2: app2:8000 state=drain
api/a1: "[fd00::5]:80 weight=5 backup maxconn=10"
`;

describe("examples/plain-host", () => {
  it.each(haproxyVersions)("has a template that HAProxy %s accepts without a warning", async (version) => {
    await using dir = await tempDir();
    const [servers, file] = [join(dir.path, "servers.yaml"), join(dir.path, "haproxy.cfg")];
    await writeFile(servers, SERVERS);
    const template = join(EXAMPLE, "haproxy.cfg.eta");
    const rendered = await rollcall(["render", "--template", template, "--from", servers]);
    expect(rendered).toMatchObject({ code: 0, stderr: "" });
    expect(rendered.stdout).toMatch(
      /^backend api$[^]*server a1 \[fd00::5\]:80 check .*weight 5 maxconn 10 backup$/m,
    );
    expect(rendered.stdout).toMatch(
      /server web2 app2:8000 check .*init-addr last,none resolvers dns weight 0$/m,
    );
    await writeFile(file, `${rendered.stdout}\n`);
    const { exitCode, all } = await execa(await haproxyBinary(version), ["-c", "-f", file], {
      all: true,
      reject: false,
    });
    expect([exitCode, all]).toEqual([0, expect.not.stringMatching(/WARNING|ALERT/)]);
  });

  it("has options that Rollcall knows", async () => {
    const { code, stderr } = await rollcall([
      ...["render", "--config", join(EXAMPLE, "rollcall.yaml"), "--from", "/dev/null"],
      ...["--template", join(EXAMPLE, "haproxy.cfg.eta")],
    ]);
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("has a unit that systemd accepts and finds well protected", async () => {
    await using dir = await tempDir();
    const unit = join(dir.path, "rollcall.service");
    const text = await readFile(join(EXAMPLE, "rollcall.service"), "utf8");
    await writeFile(unit, text.replaceAll("/opt/rollcall", ROOT));
    await installPackages(["systemd"]);
    const verified = await execa("systemd-analyze", ["verify", unit], { all: true });
    expect(verified.all).toBe("");
    const flags = ["security", "--offline=yes", "--threshold=25", unit];
    expect((await execa("systemd-analyze", flags, { reject: false })).exitCode).toBe(0);
  });

  it.each(["the master's socket", "SIGHUP"])(
    "follows its sources as the unit lets it: root without capabilities, everything else read-only; by %s",
    async (way) => {
      await using dir = await tempDir();
      const [etc, run] = [join(dir.path, "etc"), join(dir.path, "run")];
      for (const folder of [etc, run]) await mkdir(folder);
      const port = await freePort();
      const template = join(dir.path, "haproxy.cfg.eta");
      const original = await readFile(join(EXAMPLE, "haproxy.cfg.eta"), "utf8");
      await writeFile(template, original.replace("bind :80", `bind 127.0.0.1:${port}`));
      const servers = join(dir.path, "servers.yaml");
      await writeFile(servers, "web1: 127.0.0.9:81\n");
      const [configFile, masterSocket] = [join(etc, "haproxy.cfg"), join(run, "master.sock")];
      const options = [
        ...["--template", template, "--haproxy-bin", HAPROXY, "--haproxy-config", configFile],
        ...["--haproxy-socket", join(run, "admin.sock")],
        ...(way === "SIGHUP" ? [] : ["--haproxy-master-socket", masterSocket]),
      ];
      expect(await rollcall(["render", "--write", "--from", "/dev/null", ...options])).toMatchObject({
        code: 0,
      });
      const version = { binary: HAPROXY };
      await using haproxy = await startHaproxy({ version, configFile, masterSocket, dir: dir.path });
      const sources = [
        "--etcd-endpoints",
        "off",
        "--docker",
        "off",
        "--static-file",
        servers,
        "--http",
        "off",
      ];
      const daemon = new Child({
        command: confined([process.execPath, join(ROOT, "src/main.ts"), "run", ...options, ...sources], {
          writable: etc,
        }),
        logFile: join(dir.path, "rollcall.log"),
      });
      try {
        const names = async () =>
          [...(await haproxy.show("show servers state")).matchAll(/ (web\d) /g)].map(([, name]) => name);
        await eventually(async () => expect(await names()).toEqual(["web1"]));
        await writeFile(servers, "web1: 127.0.0.9:81\nweb2: 127.0.0.9:82\n");
        await eventually(async () => expect(await names()).toEqual(["web1", "web2"]));
        const status = await readFile(`/proc/${daemon.pid}/status`, "utf8");
        expect(status).toMatch(/^CapEff:\t0+$[^]*^CapBnd:\t0+$[^]*^NoNewPrivs:\t1$/m);
        const worker = await readFile(`/proc/${await haproxy.workerPid()}/status`, "utf8");
        expect(worker).not.toMatch(/^Uid:\t0\t/m);
      } finally {
        await daemon.kill("SIGTERM");
      }
    },
  );
});

/** What ProtectSystem=strict, ReadWritePaths, CapabilityBoundingSet and NoNewPrivileges of the unit come to. */
function confined(
  command: readonly string[],
  { writable }: { writable: string },
): readonly [string, ...string[]] {
  const script = `mount --bind / / && mount -o remount,ro,bind / &&
    mount --bind "$0" "$0" && mount -o remount,rw,bind "$0" && ! touch "$0/../x" 2>/dev/null &&
    exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"`;
  return ["unshare", "--mount", "--", "sh", "-c", script, writable, ...command];
}

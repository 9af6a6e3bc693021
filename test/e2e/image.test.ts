import { stat } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { docker } from "../../scripts/lab/docker-cli.ts";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { dockerLab } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { rollcallImage, runRollcall, type RollcallContainer } from "../support/rollcall-image.ts";

let engine: SharedEngine;
let image: string;
beforeAll(async () => {
  engine = await sharedEngine();
  image = await rollcallImage(engine);
}, 300_000);

const start = (flags: readonly string[] = []): Promise<RollcallContainer> =>
  runRollcall(engine, { image, flags });

/** What `docker run IMAGE COMMAND` prints, and its exit code. */
async function runOnce(flags: readonly string[], ...command: readonly string[]) {
  await using container = await runRollcall(engine, { image, flags, command });
  return { code: await container.ended(), text: await container.logs() };
}

const HARDENED = [
  "--read-only",
  ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
  ...["/etc/haproxy", "/run/haproxy", "/var/lib/rollcall"].flatMap((folder) => [
    "--tmpfs",
    `${folder}:uid=99,gid=99`,
  ]),
];
/** What a process may do at all: capabilities that it has, that it could get, and whether it could get others. */
const RIGHTS = "cat /proc/[0-9]*/status | sed -n 's/^\\(Cap[EPBA].*\\|NoNewPrivs\\):\\t/\\1 /p' | sort -u";
/** Whatever the user of this shell may write to; this goes through everything but other file systems. */
const WRITABLE = "find / -xdev ! -type l ! -path '/proc/*' -writable 2>/dev/null; true";
const ROLLCALL = /main\.ts run/;

describe("the image", () => {
  it("serves at once, without a source in reach: process 1 is HAProxy, nobody is root, nothing is writable", async () => {
    const startedAt = performance.now();
    await using container = await start(HARDENED);
    await container.untilAnswers(503);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await eventually(() => container.process(ROLLCALL));
    const processes = await container.processes();
    expect(processes.find(({ pid }) => pid === 1)?.command).toMatch(/^haproxy -W -db -S /);
    expect(new Set(processes.map(({ uid }) => uid))).toEqual(new Set([99]));
    // On the file system itself nothing is: these are the places of the three others.
    const writable = (await container.exec("sh", "-c", WRITABLE)).split("\n").toSorted();
    expect(writable).toEqual(["/etc/haproxy", "/run/haproxy", "/var/lib/rollcall"]);
    expect(await container.exec("sh", "-c", RIGHTS)).toMatch(
      /^CapAmb 0+\nCapBnd 0+\nCapEff 0+\nCapPrm 0+\nNoNewPrivs 1$/,
    );
    await eventually(async () => {
      expect(await container.rollcall("/readyz")).toMatch(/^not ready\nNothing was applied yet.*etcd/);
    });
    await eventually(
      async () => {
        expect(await container.act("inspect", "-f", "{{.State.Health.Status}}")).toBe("healthy");
      },
      { timeoutMs: 20_000 },
    );
    const log = await container.act("inspect", "-f", "{{json .State.Health.Log}}");
    expect(log).toMatch(/HAProxy answers, worker \d+\. Rollcall: not ready; Nothing was applied yet/);
  });

  it("lets its user write to its three folders, and not to what it runs", async () => {
    const { text } = await runOnce([], "sh", "-c", WRITABLE);
    // Those of everybody, and the home that HAProxy's own image gives its user.
    const known = /^\/(?:tmp|var\/tmp|run\/lock|dev|var\/lib\/haproxy)(?:\/|$)/;
    const others = text.split("\n").filter((path) => !known.test(path));
    expect(others.toSorted()).toEqual(["/etc/haproxy", "/run/haproxy", "/var/lib/rollcall"]);
  });

  it.each([
    ["another user of group 0", ["--user", "1234"]],
    [
      "a user and a group of its own",
      ["--user", "1234:1234", "--tmpfs", "/etc/haproxy:uid=1234", "--tmpfs", "/run/haproxy:uid=1234"],
    ],
    ["root", ["--user", "0"]],
    ["another process 1", ["--init"]],
  ])("runs as %s", async (_, flags) => {
    await using container = await start(flags);
    await container.untilAnswers(503);
    await eventually(() => container.rollcall("/livez"));
    await container.act("stop");
    expect(await container.ended()).toBe(0);
  });

  it.each([
    ["a read-only file system", ["--read-only"], "/etc/haproxy"],
    ["a folder of somebody else", [...HARDENED, "--user", "1234:1234"], "/etc/haproxy"],
  ])("says what to do when it cannot write: %s", async (_, flags, folder) => {
    const { code, text } = await runOnce(flags);
    expect(code).toBe(1);
    expect(text).toMatch(new RegExp(`cannot write to ${folder}.*--tmpfs ${folder}:uid=\\d+`));
  });

  it("runs other commands in place of HAProxy", async () => {
    expect(await runOnce([], "rollcall", "version")).toMatchObject({ code: 0, text: /^rollcall \d/ });
    const check = await runOnce([], "rollcall", "check");
    expect(check.code).toBe(1);
    expect(check.text).toMatch(/^ok {4}template: renders/m);
    expect(check.text).toMatch(/^BAD {3}HAProxy's socket/m);
    expect(await runOnce([], "id", "-u")).toEqual({ code: 0, text: "99" });
  });

  it("hands options over to HAProxy", async () => {
    await using container = await runRollcall(engine, { image, command: ["-L", "lb-7"] });
    await container.untilAnswers(503);
    expect(await container.exec("cat", "/proc/1/cmdline")).toMatch(/^haproxy\0.*\0-L\0lb-7\0$/);
  });
});

describe("the engine's socket", () => {
  it("is read by a user of its group, and named with the mend when it may not be", async () => {
    await using lab = await dockerLab(engine);
    const socket = engine.dockerHost.replace("unix://", "");
    const { gid } = await stat(socket);
    const prefix = `t${lab.id}`;
    const flags = [
      ...["-v", `${socket}:/var/run/docker.sock:ro`, "-e", "ROLLCALL_ETCD_ENDPOINTS=off"],
      ...["-e", `ROLLCALL_LABEL_PREFIX=${prefix}`],
    ];
    await lab.run({ labels: { [`${prefix}.enable`]: "true" } });
    await using container = await start([...flags, "--group-add", String(gid)]);
    await container.untilAnswers(200);
    await using outsider = await start(flags);
    await eventually(async () => {
      expect(await outsider.rollcall("/api/status")).toMatch(/permission denied on .*--group-add/);
    });
  });
});

it("is small: no more on top of HAProxy's image than Node and a few megabytes", async () => {
  const size = async (name: string) =>
    Number(await docker(engine, "image", "inspect", "-f", "{{.Size}}", name));
  const history = await docker(
    engine,
    "history",
    "--format",
    "{{.Size}} {{.CreatedBy}}",
    "--human=false",
    image,
  );
  const ours = history.split("\n").filter((line) => line.includes("/opt/rollcall"));
  expect(Math.max(...ours.map((line) => Number(line.split(" ")[0])))).toBeLessThan(25_000_000);
  expect(await size(image)).toBeLessThan(400_000_000);
});

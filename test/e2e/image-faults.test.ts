import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { eventually } from "../support/eventually.ts";
import { rollcallImage, runRollcall, type RollcallContainer } from "../support/rollcall-image.ts";
import { tempDir, type TempDir } from "../support/temp-dir.ts";

let engine: SharedEngine;
let image: string;
beforeAll(async () => {
  engine = await sharedEngine();
  image = await rollcallImage(engine);
}, 300_000);

const start = (flags: readonly string[] = []): Promise<RollcallContainer> =>
  runRollcall(engine, { image, flags });

/** A folder of this machine that the image's user may write to. */
async function openDir(files: Readonly<Record<string, string>>): Promise<TempDir> {
  const dir = await tempDir();
  await chmod(dir.path, 0o777);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, name), text);
  return dir;
}

const ROLLCALL = /main\.ts run/;

describe("Rollcall in the image", () => {
  it("comes back when it is killed, HAProxy answers meanwhile, and no zombie stays", async () => {
    await using container = await start();
    await container.untilAnswers(503);
    for (let round = 0; round < 2; round++) {
      const { pid } = await eventually(() => container.process(ROLLCALL));
      await container.exec("sh", "-c", `kill -9 ${pid}`);
      await expect(container.process(ROLLCALL)).rejects.toThrow(/^0 processes/);
      expect(await container.ask()).toBe(503);
      const next = await eventually(() => container.process(ROLLCALL));
      expect(next.pid).not.toBe(pid);
      await eventually(() => container.rollcall("/livez"));
    }
    expect((await container.processes()).filter(({ state }) => state === "Z")).toEqual([]);
    expect(await container.logs()).toMatch(/Rollcall ended with exit code 137.*Next start in 2 s/);
  });

  it("is what the kernel ends first when memory runs short", async () => {
    await using container = await start();
    const { pid } = await eventually(() => container.process(ROLLCALL));
    const score = (of: number) => container.exec("cat", `/proc/${of}/oom_score`).then(Number);
    expect(await score(pid)).toBeGreaterThan((await score(1)) + 200);
  });
});

describe("the end of the container", () => {
  it.each([
    ["docker stop", ["stop"], 0],
    ["docker kill -s TERM", ["kill", "-s", "TERM"], 0],
  ])("%s: HAProxy ends it in time, not the engine", async (_, action, code) => {
    await using container = await start();
    await container.untilAnswers(503);
    await eventually(() => container.process(ROLLCALL));
    const stoppedAt = performance.now();
    await container.act(...action);
    expect(await container.ended()).toBe(code);
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
    expect(await container.logs()).not.toMatch(/Rollcall ended/);
  });

  it("comes at once when it is stopped before HAProxy runs", async () => {
    await using container = await start();
    const stoppedAt = performance.now();
    await container.act("stop");
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
    expect(await container.ended()).toBe(0);
  });

  it("comes when a worker of HAProxy has crashed, so that the engine can start it again", async () => {
    await using container = await start();
    await container.untilAnswers(503);
    const workers = (await container.processes()).filter(
      ({ pid, command }) => pid !== 1 && command.startsWith("haproxy"),
    );
    expect(workers).toHaveLength(1);
    const crashedAt = performance.now();
    await container.exec("sh", "-c", `kill -9 ${workers[0]?.pid}`);
    expect(await container.ended()).toBe(137);
    expect(performance.now() - crashedAt).toBeLessThan(5000);
  });
});

describe("the first configuration", () => {
  it("is the one that is there, when HAProxy accepts it", async () => {
    const mine =
      "defaults\n    mode http\n    timeout client 1s\nfrontend f\n    bind :6301\n    http-request return status 204\n";
    await using dir = await openDir({ "haproxy.cfg": mine });
    await using container = await start(["-v", `${dir.path}:/etc/haproxy`]);
    await container.untilAnswers(204);
  });

  it("is an empty one when HAProxy refuses what is there, which is kept", async () => {
    const broken = "frontend f\n    bind nonsense\n";
    await using dir = await openDir({ "haproxy.cfg": broken });
    await using container = await start(["-v", `${dir.path}:/etc/haproxy`]);
    await container.untilAnswers(503);
    expect(await container.logs()).toMatch(
      /haproxy\.cfg:2.*nonsense[^]*haproxy -c refuses \/etc\/haproxy\/haproxy\.cfg/,
    );
    expect(await readFile(join(dir.path, "haproxy.cfg.refused"), "utf8")).toBe(broken);
    expect((await stat(join(dir.path, "haproxy.cfg"))).uid).toBe(99);
  });

  it("comes from the built-in template when the user's is broken; a mended one is taken without a restart", async () => {
    await using dir = await openDir({
      "rollcall.yaml": "template: /etc/rollcall/mine.eta\netcd-endpoints: off\nstatic-file: /dev/null\n",
      "mine.eta": "global <% nope( %>\n",
    });
    await using container = await start(["-v", `${dir.path}:/etc/rollcall:ro`]);
    await container.untilAnswers(503);
    expect(await container.logs()).toMatch(/mine\.eta:\d+[^]*the built-in one\. MEND THE TEMPLATE/);
    const builtin = await readFile(join(import.meta.dirname, "../../templates/haproxy.cfg.eta"), "utf8");
    await writeFile(join(dir.path, "mine.eta"), `${builtin}\n# mended\n`);
    await eventually(async () => {
      expect(await container.exec("cat", "/etc/haproxy/haproxy.cfg")).toMatch(/# mended/);
      expect(await container.rollcall("/readyz")).toMatch(/^ready/);
    });
  });

  it("is refused with exit code 78 when the options are wrong; with one that is there HAProxy serves on", async () => {
    const wrong = ["-e", "ROLLCALL_ETCD_ENDPOINT=http://etcd:2379"];
    await using alone = await start(wrong);
    expect(await alone.ended()).toBe(78);
    expect(await alone.logs()).toMatch(
      /ROLLCALL_ETCD_ENDPOINT: no such variable; did you mean ROLLCALL_ETCD_ENDPOINTS\?/,
    );
    await using dir = await openDir({
      "haproxy.cfg": "frontend f\n    mode http\n    timeout client 1s\n    bind :6301\n",
    });
    await using container = await start([...wrong, "-v", `${dir.path}:/etc/haproxy`]);
    await container.untilAnswers(503);
    await eventually(async () =>
      expect(await container.logs()).toMatch(/its options are wrong.*Next try in 30 s/),
    );
    expect(await container.ask()).toBe(503);
  });
});

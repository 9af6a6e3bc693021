import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker, dockerEnv } from "../../scripts/lab/docker-cli.ts";
import { imageEnv } from "../../scripts/lab/image-env.ts";
import { imageNames } from "../../scripts/lab/images.ts";
import { sharedEngine } from "../../scripts/lab/shared-engine.ts";
import type { DockerLab } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import type { Host } from "../support/host.ts";
import { type Load, startLoad } from "../support/load.ts";
import { rollcallImage } from "../support/rollcall-image.ts";
import { hasOverlay, startSwarm, type TestSwarm } from "../support/swarm.ts";
import { tempDir } from "../support/temp-dir.ts";

const STACK = join(import.meta.dirname, "../../examples/swarm/stack.yml");
const [FIRST, SECOND] = ["local/app:healthy-1", "local/app:healthy-2"];
const CHECK =
  "HEALTHCHECK --interval=500ms --retries=20 CMD wget -q -O /dev/null http://127.0.0.1:8000/healthz";
const SLOW = { timeoutMs: 90_000, everyMs: 200 };

/** Brings images from the shared engine to the nodes: they have no registry in common. */
async function distribute(images: readonly string[], nodes: readonly Host[]): Promise<void> {
  await using dir = await tempDir();
  const file = join(dir.path, "images.tar");
  const engine = await sharedEngine();
  for (const image of images) {
    const isThere = docker(engine, "image", "inspect", image);
    await isThere.catch(() => docker(engine, "pull", "-q", image));
  }
  await docker(engine, "save", "-o", file, ...images);
  await Promise.all(nodes.map(({ lab }) => lab.docker("load", "-q", "-i", file)));
}

/** Makes two versions of the application, both with a health check: without one Swarm would not wait for its start. */
async function addHealthCheck({ docker: run }: DockerLab): Promise<void> {
  const container = await run("create", imageNames.app);
  for (const image of [FIRST, SECOND])
    await run("commit", "--change", CHECK, "--change", `ENV VERSION=${image}`, container, image);
  await run("rm", container);
}

describe.skipIf(!(await hasOverlay()))("examples/swarm, on a kernel with vxlan", () => {
  let swarm: TestSwarm;
  let worker: Host;
  let url = "";

  // The load balancer is on the worker, and so knows of its own place by the manager only.
  beforeAll(async () => {
    const engine = await sharedEngine();
    const image = await rollcallImage(engine);
    const { HAPROXY_IMAGE: made } = await imageEnv(engine);
    const haproxy = made ?? process.env["HAPROXY_IMAGE"] ?? "haproxy:3.2";
    swarm = await startSwarm(1);
    [worker] = swarm.workers as [Host];
    url = `http://${worker.address}/`;
    const nodes = [swarm.manager, worker];
    await distribute([image, haproxy], nodes);
    for (const { lab } of nodes) await addHealthCheck(lab);
    await swarm.docker("node", "update", "--label-add", "lb=true", await swarm.nodeId(worker));
    const images = { LB_IMAGE: image, HAPROXY_IMAGE: haproxy, APP_IMAGE: FIRST };
    const env = {
      ...dockerEnv(swarm.manager.engine),
      ...images,
      DOCKER_SOCKET: swarm.manager.engine.socketPath,
    };
    await execa("docker", ["stack", "deploy", "--resolve-image", "never", "-c", STACK, "demo"], { env });
  }, 300_000);
  afterAll(() => swarm?.[Symbol.asyncDispose](), 120_000);

  /** What the tasks that are to run call themselves, sorted. */
  async function tasks(): Promise<readonly string[]> {
    const ps = ["service", "ps", "-q", "-f", "desired-state=running", "demo_web"];
    const ids = (await swarm.docker(...ps)).split("\n");
    const format = "{{with .Status.ContainerStatus}}{{.ContainerID}}{{end}}";
    const containers = await swarm.docker("inspect", "--type", "task", "-f", format, ...ids);
    return containers
      .split("\n")
      .map((id) => id.slice(0, 12))
      .toSorted();
  }

  /** Resolves when so many tasks answer, and nobody else. */
  const untilServed = (count: number): Promise<void> =>
    eventually(async () => {
      const wanted = await tasks();
      expect(wanted).toHaveLength(count);
      const found = new Set<string>();
      for (let request = 0; request < 4 * count; request++) {
        const answer = await fetch(url, {
          headers: { connection: "close" },
          signal: AbortSignal.timeout(5000),
        });
        await answer.text();
        found.add(answer.headers.get("x-server") ?? String(answer.status));
      }
      expect([...found].toSorted()).toEqual(wanted);
    }, SLOW);

  /** Runs `work` under load of both kinds of client; no request may fail. */
  async function underLoad(work: () => Promise<void>): Promise<void> {
    const limits = { url, connections: 4, maxSeconds: 120 };
    const loads: Load[] = [true, false].map((keepAlive) => startLoad({ ...limits, keepAlive }));
    try {
      await work();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    const sent = loads.map(({ result }) => result.sent);
    process.stdout.write(`${sent.join(" and ")} requests\n`);
    const failures = loads.flatMap(({ result }) => result.failures);
    if (failures.length > 0) process.stdout.write(await logOfBalancer());
    expect(failures).toEqual([]);
    for (const count of sent) expect(count).toBeGreaterThan(100);
  }

  const balancer = (): Promise<string> => worker.lab.docker("ps", "-qf", "name=demo_lb");
  const logOfBalancer = async (): Promise<string> => worker.lab.docker("logs", await balancer());

  const scale = (count: number): Promise<unknown> =>
    swarm.docker("service", "scale", "-d", `demo_web=${count}`);

  async function update(image: string, order: string): Promise<void> {
    const flags = ["--no-resolve-image", "--force", "--update-monitor", "500ms", "--update-order", order];
    const before = await tasks();
    await swarm.docker("service", "update", "-q", "-d", ...flags, "--image", image, "demo_web");
    await eventually(async () => {
      const state = ["service", "inspect", "-f", "{{with .UpdateStatus}}{{.State}}{{end}}", "demo_web"];
      expect(await swarm.docker(...state)).toBe("completed");
      expect((await tasks()).filter((name) => before.includes(name))).toEqual([]);
    }, SLOW);
    await untilServed(before.length);
  }

  it("serves the five tasks, whatever node they run on", async () => {
    await untilServed(5);
    const status = await worker.lab.docker("exec", await balancer(), "rollcall", "status");
    for (const slot of [1, 2, 3, 4, 5]) expect(status).toMatch(new RegExp(`demo_web\\.${slot} +10\\.`));
  });

  it("loses no request by a scale to eight and back", () =>
    underLoad(async () => {
      await scale(8);
      await untilServed(8);
      await scale(5);
      await untilServed(5);
    }));

  it("loses no request by an update of the image, start-first as in the file", () =>
    underLoad(() => update(SECOND, "start-first")));

  it("loses no request by an update of the image, stop-first", () =>
    underLoad(() => update(FIRST, "stop-first")));
});

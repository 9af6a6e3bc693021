import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageNames } from "../../scripts/lab/images.ts";
import type { Server } from "../../src/core/server.ts";
import { type DockerSourceLab, dockerSourceLab } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";
import { hasOverlay, startSwarm, type TestSwarm } from "../support/swarm.ts";

const SLOW = { timeoutMs: 60_000 };
/** Labels of the service, and of its containers. */
interface Labels {
  readonly service?: Readonly<Record<string, string>>;
  readonly containers?: Readonly<Record<string, string>>;
}

describe.skipIf(!(await hasOverlay()))("Docker Swarm, on a kernel with vxlan", () => {
  let swarm: TestSwarm;
  let lab: DockerSourceLab;
  let run: SourceRun;

  // A manager, a worker, and one run of the source for all: each test has a service of its own name.
  beforeAll(async () => {
    swarm = await startSwarm(1);
    lab = await dockerSourceLab(swarm.manager.engine);
    await swarm.docker("network", "create", "-d", "overlay", "web");
    run = runSource(lab.source({ swarm: "on" }));
    await eventually(() => expect(run.names()).toEqual([]), SLOW);
  }, 180_000);
  afterAll(async () => {
    await run?.[Symbol.asyncDispose]();
    await swarm?.[Symbol.asyncDispose]();
  }, 120_000);

  async function create(name: string, given: Labels & { flags?: readonly string[] }): Promise<void> {
    const { service = {}, containers = {}, flags = [] } = given;
    const pairs = (flag: string, labels: Readonly<Record<string, string>>): string[] =>
      Object.entries(labels).flatMap(([label, value]) => [flag, `${lab.prefix}.${label}=${value}`]);
    const labels = [...pairs("--label", service), ...pairs("--container-label", containers)];
    const fixed = ["-q", "-d", "--no-resolve-image", "--network", "web", "--stop-grace-period", "4s"];
    // Where this is a second try, that of the first one may still be there.
    await swarm.docker("service", "rm", name).catch(() => undefined);
    await swarm.docker("service", "create", "--name", name, ...fixed, ...labels, ...flags, imageNames.app);
  }
  const update = (...args: string[]): Promise<string> =>
    swarm.docker("service", "update", "-q", "-d", ...args);

  const servers = (name: string): readonly Server[] =>
    run.snapshots.at(-1)?.servers.filter((one) => one.name.startsWith(`${name}.`)) ?? [];
  const untilNames = (name: string, ...names: readonly string[]): Promise<void> =>
    eventually(() => {
      expect(
        servers(name)
          .map((one) => one.name)
          .toSorted(),
      ).toEqual(names);
      expect(servers(name).map(({ state }) => state)).toEqual(names.map(() => "ready"));
    }, SLOW);
  /** Address and node of each task that is to run, as Docker says it. */
  async function tasks(name: string): Promise<readonly { address: string; node: string }[]> {
    const ids = (await swarm.docker("service", "ps", "-q", "-f", "desired-state=running", name)).split("\n");
    const format = "{{(index (index .NetworksAttachments 0).Addresses 0)}} {{.NodeID}}";
    const rows = (await swarm.docker("inspect", "--type", "task", "-f", format, ...ids)).split("\n");
    return rows.map((row) => {
      const [address = "", node = ""] = row.split(" ");
      return { address: address.replace(/\/.*/, ""), node };
    });
  }
  /** All states that a server has had at its address. */
  function statesOf(address: string): readonly string[] {
    const states = run.snapshots.map(
      (picture) => picture.servers.find((one) => one.address === address)?.state ?? "out",
    );
    return states.filter((state, index) => state !== states[index - 1]);
  }

  const ENABLED: Labels = { service: { enable: "true" }, containers: { port: "8000" } };

  test("tasks on all nodes are served, by labels of the service and of its containers", async () => {
    await create("both", { ...ENABLED, flags: ["--replicas", "4"] });
    await untilNames("both", "both.1", "both.2", "both.3", "both.4");
    const wanted = await tasks("both");
    expect(new Set(wanted.map(({ node }) => node)).size).toBe(2);
    const addresses = servers("both").map(({ address, port }) => `${address}:${port}`);
    expect(addresses.toSorted()).toEqual(wanted.map(({ address }) => `${address}:8000`).toSorted());
    await update("--label-add", `${lab.prefix}.weight=7`, "both");
    await eventually(() => expect(servers("both").map(({ weight }) => weight)).toEqual([7, 7, 7, 7]), SLOW);
    expect(await tasks("both")).toEqual(wanted);
    await swarm.docker("service", "rm", "both");
    await untilNames("both");
  });

  test("a scale up and down is followed; who leaves is drained while it still runs", async () => {
    // SIGTERM makes no difference to it, so that the drain cannot be missed.
    await create("scaled", { ...ENABLED, flags: ["--replicas", "2", "--env", "STOP=ignore"] });
    await untilNames("scaled", "scaled.1", "scaled.2");
    await swarm.docker("service", "scale", "-d", "scaled=4");
    await untilNames("scaled", "scaled.1", "scaled.2", "scaled.3", "scaled.4");
    const before = servers("scaled").map(({ address }) => address);
    await swarm.docker("service", "scale", "-d", "scaled=0");
    await untilNames("scaled");
    for (const address of before) expect(statesOf(address)).toEqual(["out", "ready", "drain", "out"]);
    await swarm.docker("service", "rm", "scaled");
  });

  test.each(["stop-first", "start-first"])("an update replaces all tasks, %s", async (order) => {
    const flags = ["--replicas", "2", "--update-order", order, "--update-monitor", "100ms"];
    await create(order, { ...ENABLED, flags });
    await untilNames(order, `${order}.1`, `${order}.2`);
    const before = servers(order).map(({ address }) => address);
    const first = run.snapshots.length;
    await update("--env-add", "VERSION=2", order);
    await eventually(() => {
      const now = servers(order);
      expect(now.map(({ state }) => state)).toEqual(["ready", "ready"]);
      expect(now.filter(({ address }) => before.includes(address))).toEqual([]);
    }, SLOW);
    // Each server goes by one name for as long as it lives: two old ones, two new ones.
    const seen = run.snapshots.slice(first).flatMap((picture) => picture.servers);
    const pairs = new Set(
      seen.filter(({ name }) => name.startsWith(order)).map(({ name, address }) => `${name} ${address}`),
    );
    expect(pairs.size).toBe(4);
    await swarm.docker("service", "rm", order);
  });

  test("a task waits for its health check, on each node", async () => {
    const health = ["--health-cmd", "/bin/busybox test -e /healthy", "--health-start-period", "10m"];
    await create("unwell", {
      ...ENABLED,
      flags: ["--mode", "global", ...health, "--health-interval", "300ms"],
    });
    const nodes = await Promise.all([swarm.manager, ...swarm.workers].map(swarm.nodeId));
    await eventually(() => {
      const waiting = run.snapshots.at(-1)?.waiting.map(({ name, reason }) => `${name}: ${reason}`);
      expect(waiting?.toSorted()).toEqual(
        nodes.map((id) => `unwell.${id}: waiting for healthy: starting`).toSorted(),
      );
    }, SLOW);
    for (const { lab: node } of [swarm.manager, ...swarm.workers]) {
      const id = await node.docker("ps", "-q", "-f", "label=com.docker.swarm.service.name=unwell");
      await node.docker("exec", id, "/bin/busybox", "touch", "/healthy");
    }
    await untilNames("unwell", ...nodes.map((id) => `unwell.${id}`).toSorted());
    await swarm.docker("service", "rm", "unwell");
  });

  test("a port that is published on the nodes is reached there", async () => {
    const service = { enable: "true", port: "8000", address: "host" };
    await create("hosted", { service, flags: ["--mode", "global", "--publish", "mode=host,target=8000"] });
    await eventually(async () => {
      const places = servers("hosted").map(({ address }) => address);
      expect(places.toSorted()).toEqual([swarm.manager.address, swarm.workers[0]?.address]);
      for (const { address, port } of servers("hosted"))
        expect((await fetch(`http://${address}:${port}/`)).status).toBe(200);
    }, SLOW);
    await swarm.docker("service", "rm", "hosted");
  });

  test("an engine that is no manager serves its own tasks, by labels of their containers", async () => {
    await create("alone", { containers: { enable: "true", port: "8000" }, flags: ["--replicas", "2"] });
    await untilNames("alone", "alone.1", "alone.2");
    const host = swarm.workers[0]?.engine.dockerHost ?? "";
    const worker = (await tasks("alone")).filter(({ node }) => node !== nodeOfManager);
    for (const mode of ["off", "auto"] as const) {
      await using own = runSource(lab.source({ host, swarm: mode }));
      await eventually(() => {
        const found = own.snapshots.at(-1)?.servers ?? [];
        expect(found.map(({ address }) => address)).toEqual(worker.map(({ address }) => address));
        expect(found[0]?.name).toMatch(/^alone\.[12]$/);
      });
    }
    await using strict = runSource(lab.source({ host, swarm: "on" }));
    expect((await strict.ended)?.message).toMatch(/docker-swarm is on, but .* is no manager of a swarm/);
    await swarm.docker("service", "rm", "alone");
  });

  let nodeOfManager = "";
  beforeAll(async () => {
    nodeOfManager = await swarm.nodeId(swarm.manager);
  });

  test("tasks of a node that is drained, or down, are replaced", async () => {
    const [worker] = swarm.workers;
    if (worker === undefined) throw new Error("there is no worker");
    const id = await swarm.nodeId(worker);
    const flags = ["--replicas", "2", "--env", "STOP=ignore", "--restart-delay", "0s"];
    await create("moving", { ...ENABLED, flags });
    await untilNames("moving", "moving.1", "moving.2");
    const onWorker = async (): Promise<string> =>
      (await tasks("moving")).find(({ node }) => node === id)?.address ?? "none";
    const drained = await onWorker();
    await swarm.docker("node", "update", "--availability", "drain", id);
    await eventually(() => expect(statesOf(drained)).toEqual(["out", "ready", "drain", "out"]), SLOW);
    await untilNames("moving", "moving.1", "moving.2");
    expect(await onWorker()).toBe("none");
    await swarm.docker("node", "update", "--availability", "active", id);
    await update("--force", "--update-parallelism", "0", "moving");
    const lost = await eventually(async () => {
      const address = await onWorker();
      expect(servers("moving").map((one) => one.address)).toContain(address);
      return address;
    }, SLOW);
    await worker.burn();
    await eventually(() => expect(statesOf(lost).at(-1)).toBe("out"), SLOW);
    await untilNames("moving", "moving.1", "moving.2");
  });
});

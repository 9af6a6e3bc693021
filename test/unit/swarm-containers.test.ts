import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import type { Container, ContainerSettings } from "../../src/core/container.ts";
import type { Swarm, SwarmTask } from "../../src/core/swarm.ts";
import { swarmContainers } from "../../src/core/swarm-containers.ts";
import { type Understudies, understudies } from "../../src/core/swarm-understudies.ts";
import { unsettled } from "../../src/core/swarm-unsettled.ts";
import { container, containerSettings, network } from "../support/container.ts";

const idOf = (letter: string): string => letter.repeat(64);

/** A task of `web` on another node that is as it should be, with whatever is given in place of that. */
function task(letter: string, given: Partial<SwarmTask> = {}): SwarmTask {
  return {
    id: `t${letter}`,
    serviceId: "s1",
    nodeId: "n2",
    slot: 1,
    createdAtMs: 1000,
    desired: "running",
    state: "running",
    containerId: idOf(letter),
    labels: new Map([["rollcall.port", "8000"]]),
    networks: [network("web", "10.0.1.9")],
    onHostNetwork: false,
    published: [],
    ...given,
  };
}

function swarm(
  tasks: readonly SwarmTask[],
  given: { labels?: Record<string, string>; isDown?: boolean; isUpdating?: boolean } = {},
): Swarm {
  const { labels = {}, isDown = false, isUpdating = false } = given;
  const all = new Map(Object.entries({ "rollcall.enable": "true", ...labels }));
  return {
    services: new Map([["s1", { id: "s1", name: "web", labels: all, isUpdating }]]),
    tasks,
    nodes: new Map([
      ["n1", { id: "n1", address: "10.144.0.11", isDown: false }],
      ["n2", { id: "n2", address: "10.144.0.12", isDown }],
    ]),
  };
}

function read(
  given: Swarm,
  options: { containers?: readonly Container[]; ownNode?: string; known?: Understudies } = {},
) {
  const { containers = [], ownNode = null, known = understudies(given, new Map()) } = options;
  return swarmContainers({
    containers,
    swarm: given,
    ownNode,
    understudies: known,
    leavingSinceMs: () => 5000,
  });
}

/** What the load balancer gets, as `NAME ADDRESS:PORT STATE`; what is not served, with the reason. */
function served(
  found: { here: readonly Container[]; elsewhere: readonly Container[] },
  settings: Partial<ContainerSettings> = {},
  nowMs = 5000,
): readonly string[] {
  const all = [...found.here, ...found.elsewhere];
  const { servers, quarantined, waiting } = containerServers(
    all,
    { ...containerSettings, ...settings },
    nowMs,
  );
  return [
    ...servers.map(({ name, address, port, state }) => `${name} ${address}:${port} ${state}`),
    ...[...quarantined, ...waiting].map(({ reason }) => reason),
  ].toSorted();
}

describe("a task on another node", () => {
  test("is a server by its service's labels, those of its containers and its address", () => {
    expect(served(read(swarm([task("a")])))).toEqual(["web.1 10.0.1.9:8000 ready"]);
    const labels = { "rollcall.port": "8001", "rollcall.name": "www" };
    expect(served(read(swarm([task("a")], { labels })))).toEqual(["www 10.0.1.9:8001 ready"]);
    expect(served(read(swarm([task("a", { slot: null })])))).toEqual(["web.n2 10.0.1.9:8000 ready"]);
  });

  test("is drained at once when Swarm wants its end, until it is over or the drain is", () => {
    for (const desired of ["shutdown", "remove"]) {
      const found = read(swarm([task("a", { desired })]));
      expect(served(found)).toEqual(["web.1 10.0.1.9:8000 drain"]);
      expect(served(found, {}, 15_000)).toEqual(["Swarm has been stopping it for 10 s, still running"]);
      expect(served(read(swarm([task("a", { desired, state: "shutdown" })])))).toEqual([]);
    }
  });

  test("waits until its health check has passed", () => {
    expect(served(read(swarm([task("a", { state: "starting" })])))).toEqual([
      "waiting for healthy: starting",
    ]);
  });

  test.each([
    "new",
    "pending",
    "preparing",
    "ready",
    "complete",
    "failed",
    "rejected",
    "orphaned",
    "toString",
  ])("is nothing when it is %s", (state) => expect(served(read(swarm([task("a", { state })])))).toEqual([]));

  test("is nothing when its node is down, or its service is gone", () => {
    expect(served(read(swarm([task("a")], { isDown: true })))).toEqual([]);
    expect(served(read({ ...swarm([task("a")]), services: new Map() }))).toEqual([]);
  });

  test("with a port published on its node is reached there", () => {
    const published = [{ privatePort: 8000, publicPort: 32768, hostIp: "" }];
    const labels = { "rollcall.address": "host" };
    for (const self of [{ kind: "host" }, { kind: "elsewhere", engineHost: null }] as const) {
      expect(served(read(swarm([task("a", { published })], { labels })), { self })).toEqual([
        "web.1 10.144.0.12:32768 ready",
      ]);
      const onHost = task("a", { onHostNetwork: true, networks: [network("host", null)] });
      expect(served(read(swarm([onHost], { labels })), { self })).toEqual(["web.1 10.144.0.12:8000 ready"]);
      expect(served(read(swarm([onHost])), { self })).toEqual([
        expect.stringMatching(/set rollcall.address/),
      ]);
    }
  });
});

describe("a task on the manager's own node", () => {
  const own = container({
    id: idOf("a"),
    labels: { "rollcall.enable": "false" },
    tcpPorts: [9000],
    networks: [network("web", "10.0.1.8")],
  });

  test("is the container that the engine lists, with its service's labels", () => {
    const found = read(swarm([task("a", { nodeId: "n1" })]), { containers: [own] });
    expect(served(found)).toEqual(["web.1 10.0.1.8:9000 ready"]);
    expect(found.elsewhere).toEqual([]);
  });

  test("is drained by whichever comes first, Swarm's wish or the signal", () => {
    const leaving = swarm([task("a", { nodeId: "n1", desired: "shutdown" })]);
    const stopping = { signal: 15, sinceMs: 4000 };
    const states = [own, { ...own, stopping }].map(
      (one) => read(leaving, { containers: [one] }).here[0]?.stopping,
    );
    expect(states).toEqual([{ signal: 0, sinceMs: 5000 }, stopping]);
  });

  test("that its engine lists no more is gone, though it still counts as running", () => {
    const here = task("a", { nodeId: "n1" });
    const other = task("b", { slot: 2 });
    const { ownNode } = read(swarm([here, other]), { containers: [own] });
    expect(ownNode).toBe("n1");
    expect(served(read(swarm([here, other]), { ownNode: "n1" }))).toEqual(["web.2 10.0.1.9:8000 ready"]);
  });

  test("other containers stay as they are", () => {
    const plain = container();
    expect(read(swarm([task("a")]), { containers: [plain] }).here).toEqual([plain]);
  });
});

describe("tasks of one slot, one after the other", () => {
  const [old, young] = [task("a", { desired: "shutdown" }), task("b", { createdAtMs: 2000 })];
  const third = task("c", { createdAtMs: 3000 });

  /** Names at each moment, by the tasks that there are. */
  function namesOf(...moments: readonly (readonly SwarmTask[])[]) {
    let known: Understudies = new Map();
    return moments.map((tasks) => {
      known = understudies(swarm(tasks), known);
      return served(read(swarm(tasks), { known })).map((one) => one.split(" ")[0]);
    });
  }

  test("one that starts beside the other has a name of its own, for as long as it lives", () => {
    expect(namesOf([task("a")], [young, old], [young], [third, young])).toEqual([
      ["web.1"],
      ["web.1", "web.1-bbbbbb"],
      ["web.1-bbbbbb"],
      ["web.1", "web.1-bbbbbb"],
    ]);
  });

  test("one that starts after the other's end has its name", () => {
    expect(namesOf([old], [{ ...old, state: "shutdown" }, young])).toEqual([["web.1"], ["web.1"]]);
  });

  test("one that comes back with its node takes no name from the one that stands in for it", () => {
    const here = { ...young, nodeId: "n1" };
    const down = understudies(swarm([old, here], { isDown: true }), new Map());
    expect(understudies(swarm([old, here]), down)).toEqual(
      new Map([
        ["ta", true],
        ["tb", false],
      ]),
    );
  });
});

describe("more is to come", () => {
  test.each<[string, Partial<SwarmTask>, boolean]>([
    ["it runs", {}, false],
    ["it starts", { state: "starting" }, true],
    ["it is to run", { desired: "ready", state: "ready" }, true],
    ["it is to stop", { desired: "shutdown" }, true],
    ["it has stopped", { desired: "shutdown", state: "shutdown" }, false],
    ["it has failed", { desired: "shutdown", state: "failed" }, false],
    ["it has failed and is to run", { state: "failed" }, true],
  ])("%s", (_, given, expected) => {
    expect(unsettled(swarm([task("a", given)])).mark !== "").toBe(expected);
  });

  test("not of a node that is down, nor of a service that is gone; always in an update", () => {
    expect(unsettled(swarm([task("a", { desired: "shutdown" })], { isDown: true })).mark).toBe("");
    expect(unsettled({ ...swarm([task("a", { desired: "remove" })]), services: new Map() }).mark).toBe("");
    expect(unsettled(swarm([task("a")], { isUpdating: true }))).toEqual({ mark: "", isUpdating: true });
  });
});

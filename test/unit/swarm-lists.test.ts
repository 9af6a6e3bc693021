import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { containerServers } from "../../src/core/container-servers.ts";
import { swarmContainers } from "../../src/core/swarm-containers.ts";
import { understudies } from "../../src/core/swarm-understudies.ts";
import { unsettled } from "../../src/core/swarm-unsettled.ts";
import { parseSwarm } from "../../src/discovery/swarm-lists.ts";
import { containerSettings } from "../support/container.ts";

const CONTAINER = "dee9".padEnd(64, "8");

/** Recorded from Docker 26.1 (API 1.45), shortened: what we do not read is left out. */
const task = {
  ID: "sl7kr6xq7izrgu08ezcrc620z",
  CreatedAt: "2026-11-21T16:20:50.88258159Z",
  Labels: {},
  Spec: { ContainerSpec: { Image: "local/app:1", Labels: { "rollcall.port": "8000" } }, ForceUpdate: 0 },
  ServiceID: "olkwccsb5nml5tcffimh1cqys",
  Slot: 2,
  NodeID: "mwuibzcierily42yylkxg54z0",
  Status: {
    State: "running",
    ContainerStatus: { ContainerID: CONTAINER, PID: 21208, ExitCode: 0 },
    PortStatus: {
      Ports: [
        { Protocol: "tcp", TargetPort: 8000, PublishedPort: 32768, PublishMode: "host" },
        { Protocol: "udp", TargetPort: 53, PublishedPort: 32769, PublishMode: "host" },
      ],
    },
  },
  DesiredState: "running",
  NetworksAttachments: [
    { Network: { ID: "yqr4", Spec: { Name: "web" } }, Addresses: ["10.0.1.9/24", "fd00::9/64"] },
    { Network: { ID: "gatp", Spec: { Name: "ingress" } }, Addresses: ["10.0.0.4/24"] },
  ],
  Volumes: null,
};
/** Of a global service on the host's network, and not on its way yet. */
const hosted = {
  ...task,
  ID: "pgucvrsg0mptl9r7vgvvcxqm7",
  Slot: undefined,
  Status: { State: "pending", PortStatus: {} },
  NetworksAttachments: [{ Network: { ID: "q1y7", Spec: { Name: "host" }, DriverState: { Name: "host" } } }],
};
const service = {
  ID: "olkwccsb5nml5tcffimh1cqys",
  Spec: { Name: "web", Labels: { "rollcall.enable": "true" }, Mode: { Replicated: { Replicas: 2 } } },
  UpdateStatus: { State: "updating", StartedAt: "2026-11-21T16:25:01Z" },
};
const node = {
  ID: "mwuibzcierily42yylkxg54z0",
  Spec: { Role: "manager", Availability: "active" },
  Status: { State: "ready", Addr: "10.144.0.11" },
};

describe("the answers of a manager", () => {
  test("as recorded", () => {
    const swarm = parseSwarm({ services: [service], tasks: [task, hosted], nodes: [node] });
    expect(swarm.services.get(service.ID)).toEqual({
      id: service.ID,
      name: "web",
      labels: new Map([["rollcall.enable", "true"]]),
      isUpdating: true,
    });
    expect(swarm.nodes.get(node.ID)).toEqual({ id: node.ID, address: "10.144.0.11", isDown: false });
    expect(swarm.tasks[0]).toEqual({
      id: task.ID,
      serviceId: service.ID,
      nodeId: node.ID,
      slot: 2,
      createdAtMs: Date.parse("2026-11-21T16:20:50.882Z"),
      desired: "running",
      state: "running",
      containerId: CONTAINER,
      labels: new Map([["rollcall.port", "8000"]]),
      networks: [
        { name: "ingress", id: "gatp", address: "10.0.0.4", address6: null, gateway: null },
        { name: "web", id: "yqr4", address: "10.0.1.9", address6: "fd00::9", gateway: null },
      ],
      onHostNetwork: false,
      published: [{ privatePort: 8000, publicPort: 32768, hostIp: "" }],
    });
    expect(swarm.tasks[1]).toMatchObject({
      slot: null,
      containerId: null,
      onHostNetwork: true,
      published: [],
    });
  });

  test.each([
    ["10.144.0.11", "down", { address: "10.144.0.11", isDown: true }],
    ["10.144.0.11", "unknown", { address: "10.144.0.11", isDown: false }],
    ["127.0.0.1", "ready", { address: null, isDown: false }],
    ["0.0.0.0", "ready", { address: null, isDown: false }],
    ["a\nb", "", { address: null, isDown: false }],
  ])("a node at %j that is %s", (Addr, State, expected) => {
    const swarm = parseSwarm({ services: [], tasks: [], nodes: [{ ID: "n1", Status: { Addr, State } }] });
    expect(swarm.nodes.get("n1")).toMatchObject(expected);
  });

  test.each([[{}], [null], ["[]"], [[{}]], [[{ ID: "a b" }]], [[null]]])("%j is none", (answer) => {
    const lists = { services: [], tasks: [], nodes: [] };
    for (const name of ["services", "tasks", "nodes"])
      expect(() => parseSwarm({ ...lists, [name]: answer })).toThrow(new RegExp(`list of ${name}$`));
  });
});

/** Puts nonsense in the place of any part of a recorded answer. */
const spoilt = (value: unknown): fc.Arbitrary<unknown> => {
  const nonsense = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      "",
      "remove",
      "shutdown",
      "\n",
      "'\"#\\$%",
      "10.0.0.1/24",
      -1,
      1e9,
      [],
      {},
    ),
    fc.jsonValue({ maxDepth: 1 }),
  );
  if (typeof value !== "object" || value === null)
    return fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, nonsense);
  const parts = Object.entries(value).map(([name, part]) => [name, spoilt(part)] as const);
  const whole = fc.record(Object.fromEntries(parts));
  const made = Array.isArray(value) ? whole.map((entries) => Object.values(entries)) : whole;
  return fc.oneof({ weight: 19, arbitrary: made }, nonsense);
};

test("whatever a manager says, it is refused, or nothing that is not allowed comes of it", () => {
  const list = (entry: object): fc.Arbitrary<unknown> =>
    fc.array(spoilt(entry).map((one) => (typeof one === "object" ? { ...one, ...{ ID: "x1" } } : one)));
  const answers = fc.record({ services: list(service), tasks: fc.array(spoilt(task)), nodes: list(node) });
  let served = 0;
  fc.assert(
    fc.property(answers, (answer) => {
      let swarm;
      try {
        swarm = parseSwarm({ ...answer, services: [...(answer.services as []), service] });
      } catch {
        return;
      }
      const given = {
        containers: [],
        swarm,
        ownNode: null,
        understudies: understudies(swarm, new Map()),
      };
      const { elsewhere } = swarmContainers({ ...given, leavingSinceMs: () => 0 });
      unsettled(swarm);
      const settings = { ...containerSettings, network: "web" };
      for (const { name, address, port } of containerServers(elsewhere, settings, 0).servers) {
        served++;
        expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/);
        expect(address).toMatch(/^(?:[0-9a-f.:]+|[a-z0-9_.-]+)$/);
        expect(port).toSatisfy((number: number) => Number.isInteger(number) && number > 0 && number < 65536);
      }
    }),
    { numRuns: 500 },
  );
  expect(served).toBeGreaterThan(20);
});

import { expect, test } from "vitest";
import { parseDockerEndpoint, type DockerEndpoint } from "../../src/discovery/docker-endpoint.ts";
import { selfPlace } from "../../src/discovery/docker-self.ts";
import { container, network } from "../support/container.ts";

function endpoint(host: string): DockerEndpoint {
  const parsed = parseDockerEndpoint({ host });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

const local = endpoint("/var/run/docker.sock");
const ours = container({
  id: "a".repeat(64),
  networks: [network("back", null), network("front", "172.18.0.2")],
});

test("outside of containers", () => {
  expect(selfPlace({ containers: [ours], selfId: undefined, endpoint: local })).toEqual({
    self: { kind: "host" },
    warning: null,
  });
  expect(
    selfPlace({ containers: [ours], selfId: undefined, endpoint: endpoint("tcp://docker7:2375") }),
  ).toEqual({
    self: { kind: "elsewhere", engineHost: "docker7" },
    warning: null,
  });
});

test("in a container, by its whole id or its beginning", () => {
  for (const selfId of ["a".repeat(64), "a".repeat(12)]) {
    expect(selfPlace({ containers: [ours], selfId, endpoint: endpoint("tcp://proxy:2375") })).toEqual({
      self: { kind: "container", networks: ["back", "front"], hostNetwork: false, gateway: "172.18.0.1" },
      warning: null,
    });
  }
});

test("in a container on the host's network, or on another container's", () => {
  const onHost = container({
    id: "c".repeat(64),
    networkMode: "host",
    networks: [{ ...network("host", null), gateway: null }],
  });
  const joined = container({ id: "b".repeat(64), networkMode: `container:${"c".repeat(64)}`, networks: [] });
  for (const selfId of ["c".repeat(12), "b".repeat(12)]) {
    expect(selfPlace({ containers: [onHost, joined], selfId, endpoint: local }).self).toEqual({
      kind: "container",
      networks: ["host"],
      hostNetwork: true,
      gateway: null,
    });
  }
});

test("in a container that the engine does not know", () => {
  const { self, warning } = selfPlace({ containers: [ours], selfId: "f".repeat(64), endpoint: local });
  expect(self).toEqual({ kind: "elsewhere", engineHost: null });
  expect(warning).toContain(
    "our own container ffffffffffff is not one of this engine (/var/run/docker.sock)",
  );
});

test("as a task on another node of the engine's swarm", () => {
  const task = container({
    id: "b".repeat(64),
    networks: [network("web", "10.0.1.2")],
    networkMode: "default",
  });
  const place = (own: typeof task) =>
    selfPlace({
      containers: [],
      elsewhere: [own],
      selfId: "b".repeat(12),
      endpoint: endpoint("tcp://filter:2375"),
    });
  expect(place(task)).toMatchObject({
    self: { kind: "container", networks: ["web"], hostNetwork: false },
    warning: null,
  });
  // The loopback there is not the one of the engine's containers.
  expect(place({ ...task, networkMode: "host" })).toEqual({
    self: { kind: "elsewhere", engineHost: "filter" },
    warning: null,
  });
});

import { describe, expect, test } from "vitest";
import { askSwarm } from "../../src/discovery/ask-swarm.ts";
import type { DockerEngine } from "../../src/discovery/docker-engine.ts";
import { SWARM_PACE, swarmReader, type SwarmMode } from "../../src/discovery/docker-swarm.ts";
import { container } from "../support/container.ts";

const endpoint = { kind: "unix", path: "/s", shown: "/s" } as const;

/** A manager whose three lists can be changed, and which can be made to fail. */
function pretend() {
  const state = {
    failure: null as Error | null,
    asked: 0,
    now: 1_000_000,
    services: [] as object[],
    tasks: [] as object[],
    nodes: [] as object[],
  };
  const list = (name: "services" | "tasks" | "nodes") => (): Promise<unknown> =>
    state.failure === null ? Promise.resolve(state[name]) : Promise.reject(state.failure);
  const lists = { listServices: list("services"), listTasks: list("tasks"), listNodes: list("nodes") };
  const engine = {
    swarm: (signal: AbortSignal) => {
      state.asked++;
      return askSwarm(lists, { abortSignal: signal, endpoint });
    },
  } as DockerEngine;
  return { state, engine };
}

function reader(mode: Exclude<SwarmMode, "off">) {
  const { state, engine } = pretend();
  const swarm = swarmReader({ mode, pace: SWARM_PACE, now: () => state.now });
  const own = [container()];
  return { state, own, read: () => swarm.read(engine, own, new AbortController().signal) };
}

const failure = (statusCode: number, message = ""): Error =>
  Object.assign(new Error(message), { statusCode });

// Docker's own words, the first two as recorded from 26.1, the others as its source has them.
const NOT_IN_A_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect';
const WORKER =
  "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.";
const STARTING =
  "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.";
const NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader.";

const service = { ID: "s1", Spec: { Name: "web", Labels: {} } };
const task = (DesiredState: string, State: string) => ({
  ...{ ID: "t1", ServiceID: "s1", NodeID: "n2", Slot: 1, DesiredState },
  Status: { State, ContainerStatus: { ContainerID: "a".repeat(64) } },
});

describe("an engine that is no manager", () => {
  test.each([
    [503, NOT_IN_A_SWARM],
    [503, WORKER],
    [404, "page not found"],
    [406, ""],
    [403, ""],
  ])("says so by status %d %s", async (status, message) => {
    const { state, own, read } = reader("auto");
    state.failure = failure(status, message);
    expect(await read()).toEqual({ here: own, elsewhere: [], againAtMs: state.now + 60_000 });
    await read();
    expect(state.asked).toBe(1);
    state.now += 60_000;
    state.failure = null;
    expect(await read()).toMatchObject({ againAtMs: state.now + 5000 });
    const strict = reader("on");
    strict.state.failure = failure(status, message);
    await expect(strict.read()).rejects.toThrow(
      /^docker-swarm is on, but .*(?:is no manager|SERVICES, TASKS and NODES)/,
    );
  });

  test.each([
    [503, STARTING],
    [503, NO_LEADER],
    [500, ""],
  ])("is not one that answers with status %d %s", async (status, message) => {
    const { state, read } = reader("auto");
    state.failure = failure(status, message);
    await expect(read()).rejects.toBe(state.failure);
  });

  test("though it was one takes nothing out", async () => {
    const { state, read } = reader("auto");
    await read();
    state.failure = failure(503, WORKER);
    await expect(read()).rejects.toThrow(/is no manager of a swarm; it was one/);
  });
});

describe("a manager", () => {
  test("is asked once a second while tasks move, but not for ever", async () => {
    const { state, read } = reader("on");
    state.services = [service];
    state.tasks = [task("running", "pending")];
    expect(await read()).toMatchObject({ againAtMs: state.now + 1000 });
    state.now += 60_000;
    expect(await read()).toMatchObject({ againAtMs: state.now + 5000 });
    state.tasks = [task("running", "preparing")];
    expect(await read()).toMatchObject({ againAtMs: state.now + 1000 });
    state.tasks = [task("running", "running")];
    expect(await read()).toMatchObject({ againAtMs: state.now + 5000 });
    state.now += 3_600_000;
    state.services = [{ ...service, UpdateStatus: { State: "updating" } }];
    expect(await read()).toMatchObject({ againAtMs: state.now + 1000 });
  });

  test("a task drains from when it was first seen that it is to stop", async () => {
    const { state, read } = reader("on");
    state.services = [service];
    state.tasks = [task("shutdown", "running")];
    const first = state.now;
    for (let second = 0; second < 3; second++) {
      expect((await read()).elsewhere[0]?.stopping).toEqual({ signal: 0, sinceMs: first });
      state.now += 1000;
    }
  });
});

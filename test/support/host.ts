import { execa } from "execa";
import type { Bridge } from "../../scripts/lab/bridge.ts";
import type { EngineOptions } from "../../scripts/lab/engine-options.ts";
import { attachEngine, type Engine, startEngine } from "../../scripts/lab/engine.ts";
import { clearEngine } from "../../scripts/lab/engine-leftovers.ts";
import { dockerLab, type DockerLab } from "./docker.ts";
import { type RollcallProcess, startRollcall } from "./rollcall-process.ts";

/** A machine of its own as far as the network goes, with a Docker engine and at most one agent. */
export interface Host extends AsyncDisposable {
  readonly name: string;
  /** Where the others reach it, "10.115.0.11". */
  readonly address: string;
  readonly engine: Engine;
  readonly lab: DockerLab;
  /** @throws Error when none was started. */
  readonly agent: RollcallProcess;
  /** Starts `rollcall register` on this host; waits for nothing. */
  startAgent(options?: Readonly<Record<string, string>>): Promise<void>;
  /** What goes to etcd and comes from it vanishes on the way, without a word. Everything else goes on. */
  cutFromEtcd(): Promise<void>;
  reachEtcd(): Promise<void>;
  /** Agent, engine and containers are killed; the machine itself stays on the network and refuses connections. */
  burn(): Promise<void>;
}

/** Where a host has its things. */
export interface HostPlace {
  readonly name: string;
  /** The network that it shares with the others. */
  readonly bridge: Bridge;
  /** From 1: tells it from the others in addresses. */
  readonly number: number;
  readonly namespace: string;
  /** For the agent's log. */
  readonly dir: string;
  /** For the engine's data. */
  readonly folder: string;
  readonly etcd: { readonly address: string; readonly port: number };
}

/** Makes the namespace and starts the engine (some seconds: it has no image yet). */
export async function startHost(place: HostPlace): Promise<Host> {
  await using cleanup = new AsyncDisposableStack();
  const { name, etcd, namespace, dir } = place;
  cleanup.defer(() => removeNamespace(place));
  const address = await makeNamespace(place);
  const engine = cleanup.use(await startEngine(engineOptions(place)));
  const lab = await dockerLab(engine);
  const within = ["nsenter", `--net=/run/netns/${namespace}`] as const;
  const etcdPackets = (action: "-I" | "-D"): Promise<void> =>
    filterPackets({ namespace, action, port: etcd.port });
  let agent: RollcallProcess | undefined;
  cleanup.defer(async () => agent?.[Symbol.asyncDispose]());
  const owned = cleanup.move();
  return {
    name,
    address,
    engine,
    lab,
    get agent() {
      if (agent === undefined) throw new Error(`host ${name} has no agent`);
      return agent;
    },
    async startAgent(more = {}) {
      const options = {
        "etcd-endpoints": `http://${etcd.address}:${etcd.port}`,
        "docker-host": engine.dockerHost,
        "host-name": name,
        address: "host",
        ...more,
      };
      agent = await startRollcall({ dir, options, command: "register", within, host: address });
    },
    cutFromEtcd: () => etcdPackets("-I"),
    reachEtcd: () => etcdPackets("-D"),
    async burn() {
      await agent?.kill("SIGKILL");
      await engine.stop("SIGKILL");
      await clearEngine({ dir: place.folder, runDir: engine.runDir });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Removes what a run that was killed has left of a host. */
export async function leftoversOf(place: HostPlace): Promise<void> {
  await attachEngine(engineOptions(place)).dispose();
  await removeNamespace(place);
}

function engineOptions({ name, number, bridge: { octet }, namespace, folder }: HostPlace): EngineOptions {
  const networks = {
    containers: `10.${octet}.${10 + number}.1/24`,
    pool: `10.${octet}.${128 + 16 * number}.0/20`,
  };
  return { name: `host ${name}`, dir: folder, namespace: { name: namespace, ...networks } };
}

/** A namespace with one link to the bridge. Resolves with its address. */
async function makeNamespace({ namespace, bridge, number }: HostPlace): Promise<string> {
  const [outside, address] = [`${bridge.name}-${number}`, `10.${bridge.octet}.0.${10 + number}`];
  const within = ["-n", namespace];
  await ip("netns", "add", namespace);
  await ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("link", "set", outside, "master", bridge.name, "up");
  await ip(...within, "link", "set", "lo", "up");
  await ip(...within, "addr", "add", `${address}/24`, "dev", "eth0");
  await ip(...within, "link", "set", "eth0", "up");
  await ip(...within, "route", "add", "default", "via", `10.${bridge.octet}.0.1`);
  return address;
}

/** Its links and packet filter rules go with it. */
async function removeNamespace({ namespace }: HostPlace): Promise<void> {
  await execa("ip", ["netns", "delete", namespace], { reject: false }); // It may not exist.
}

async function filterPackets(given: { namespace: string; action: "-I" | "-D"; port: number }): Promise<void> {
  const { namespace, action, port } = given;
  for (const [chain, end] of [
    ["OUTPUT", "--dport"],
    ["INPUT", "--sport"],
  ] as const) {
    const rule = ["-w", action, chain, "-p", "tcp", end, String(port), "-j", "DROP"];
    await execa("nsenter", [`--net=/run/netns/${namespace}`, "iptables", ...rule]);
  }
}

const ip = (...args: string[]) => execa("ip", args);

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { installPackages } from "../../scripts/lab/apt.ts";
import { type Bridge, bridgeName, ensureBridge, removeBridge } from "../../scripts/lab/bridge.ts";
import { labPath } from "../../scripts/lab/lab-dir.ts";
import { type Host, type HostPlace, leftoversOf, startHost } from "./host.ts";
import { tempDir } from "./temp-dir.ts";

/** A swarm of its own: each node is a Docker engine in a network namespace. */
export interface TestSwarm extends AsyncDisposable {
  readonly manager: Host;
  readonly workers: readonly Host[];
  /** Runs the `docker` command against the manager. */
  docker(...args: string[]): Promise<string>;
  /** Id of a node, as the swarm knows it. */
  nodeId(host: Host): Promise<string>;
}

/** Whether this kernel can do what networks over several nodes are made of; whoever may not try counts as one. */
export async function hasOverlay(): Promise<boolean> {
  const name = `rcvx${process.pid}`;
  const { failed } = await execa(
    "ip",
    ["link", "add", name, "type", "vxlan", "id", "4096", "dstport", "4790"],
    { reject: false },
  );
  await execa("ip", ["link", "delete", name], { reject: false });
  return !failed;
}

/** Starts a manager and so many workers (some seconds each). What a run that was killed has left is removed first. */
export async function startSwarm(workerCount: number): Promise<TestSwarm> {
  await installPackages(["iptables", "iproute2"]);
  await using cleanup = new AsyncDisposableStack();
  const dir = cleanup.use(await tempDir()).path;
  const bridge = await ensureBridge(bridgeName(labPath("swarm")));
  cleanup.defer(() => removeBridge(bridge));
  const names = ["manager", ...Array.from({ length: workerCount }, (_, index) => `worker${index + 1}`)];
  const places = names.map((name, index): HostPlace => {
    const own = join(dir, name);
    mkdirSync(own);
    const namespace = `${bridge.name}-${name}`;
    const folder = labPath(`swarm-${name}`);
    return { name, bridge, number: index + 1, namespace, dir: own, folder, etcd: { address: "", port: 0 } };
  });
  for (const place of places) {
    await leftoversOf(place);
    // It goes with its namespace, but not at once.
    await execa("ip", ["link", "delete", `${bridge.name}-${place.number}`], { reject: false });
  }
  const hosts = await Promise.all(places.map(async (place) => cleanup.use(await startHost(place))));
  const [manager, ...workers] = hosts;
  if (manager === undefined) throw new Error("a swarm without a node");
  await letThrough(bridge);
  for (const { namespace } of places) await refuseOutside(namespace, bridge);
  const { docker } = manager.lab;
  // A node counts as down after three heartbeats.
  await docker("swarm", "init", "--advertise-addr", manager.address, "--dispatcher-heartbeat", "1s");
  const token = await docker("swarm", "join-token", "-q", "worker");
  for (const worker of workers) {
    const own = ["--advertise-addr", worker.address, "--token", token];
    await worker.lab.docker("swarm", "join", ...own, `${manager.address}:2377`);
  }
  const owned = cleanup.move();
  return {
    manager,
    workers,
    docker,
    nodeId: (host) => host.lab.docker("info", "-f", "{{.Swarm.NodeID}}"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Docker drops packets between ports of a bridge that is not its own. The rule goes with the bridge. */
async function letThrough({ name }: Bridge): Promise<void> {
  await execa("iptables", ["-w", "-I", "FORWARD", "-i", name, "-o", name, "-j", "ACCEPT"]);
}

/** Before each task a node asks a registry for its image; what has no way out must say so, or that takes 20 s. */
async function refuseOutside(namespace: string, { octet }: Bridge): Promise<void> {
  const rule = ["-w", "-I", "OUTPUT", "-o", "eth0", "!", "-d", `10.${octet}.0.0/24`, "-j", "REJECT"];
  await execa("nsenter", [`--net=/run/netns/${namespace}`, "iptables", ...rule]);
}

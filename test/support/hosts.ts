import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { installPackages } from "../../scripts/lab/apt.ts";
import { bridgeName, ensureBridge, removeBridge } from "../../scripts/lab/bridge.ts";
import { labPath } from "../../scripts/lab/lab-dir.ts";
import { type EtcdServer, startEtcd } from "./etcd-server.ts";
import { freePort } from "./free-port.ts";
import { type Host, type HostPlace, leftoversOf, startHost } from "./host.ts";
import { tempDir } from "./temp-dir.ts";

/**
 * Several hosts on one machine, each a network namespace with a Docker engine of its own, and one etcd that all of them
 * reach. This process, and what it starts, is one more machine on the same network: the load balancer's.
 */
export interface Hosts extends AsyncDisposable {
  /** Listens on 127.0.0.1, and for the hosts on the network that they share. */
  readonly etcd: EtcdServer;
  /** In the order of the names that were asked for. */
  readonly all: readonly Host[];
  /** @throws Error when there is none of that name. */
  of(name: string): Host;
}

/** Starts the hosts (about 10 s). What a run that was killed has left of them is removed first. */
export async function startHosts(names: readonly string[]): Promise<Hosts> {
  await installPackages(["iptables", "iproute2"]);
  await using cleanup = new AsyncDisposableStack();
  const dir = cleanup.use(await tempDir()).path;
  const bridge = await ensureBridge(bridgeName(labPath("hosts")));
  cleanup.defer(() => removeBridge(bridge));
  const port = await freePort();
  const listen = `http://127.0.0.1:${port},http://10.${bridge.octet}.0.1:${port}`;
  const etcd = cleanup.use(await startEtcd({ port, flags: ["--listen-client-urls", listen] }));
  const places = names.map((name, index): HostPlace => {
    const own = join(dir, name);
    mkdirSync(own);
    const folder = labPath(`host-${name}`);
    const namespace = `${bridge.name}-${name}`;
    const reached = { address: `10.${bridge.octet}.0.1`, port };
    return { name, bridge, number: index + 1, namespace, dir: own, folder, etcd: reached };
  });
  for (const place of places) await leftoversOf(place);
  const started = await Promise.allSettled(places.map(startHost));
  const all = started.flatMap((one) => (one.status === "fulfilled" ? [cleanup.use(one.value)] : []));
  for (const one of started) if (one.status === "rejected") throw one.reason;
  const owned = cleanup.move();
  return {
    etcd,
    all,
    of: (name) => {
      const host = all.find((one) => one.name === name);
      if (host === undefined) throw new Error(`there is no host ${name}`);
      return host;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

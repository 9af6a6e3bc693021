import { setTimeout as sleep } from "node:timers/promises";
import type { Publication } from "../src/core/publication.ts";
import { type Registrar, registrar } from "../src/registration/registrar.ts";
import { type EtcdServer, startEtcd } from "../test/support/etcd-server.ts";
import { eventually } from "../test/support/eventually.ts";
import { nullLogger } from "../test/support/null-logger.ts";
import { ROLLCALL } from "./actors.ts";
import { etcdRequests, requestsBetween } from "./etcd-requests.ts";
import { addressOf } from "./many-servers.ts";
import type { Progress } from "./options.ts";
import type { Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";

/**
 * Many agents on one etcd, each with a connection and a lease of its own. They are the registrars of real agents, all in
 * this process, with containers that are made up: so many engines no single machine bears.
 */
export async function manyAgents({ agent: sizes }: Sizes, progress: Progress): Promise<readonly Row[]> {
  const { agents, serversEach, leaseS, leases } = sizes;
  const what = `${(agents * serversEach).toLocaleString("en")} servers of ${agents} agents`;
  progress(`${what}: start, and a rest`);
  await using etcd = await startEtcd();
  const end = new AbortController();
  const all = Array.from({ length: agents }, (_, index) =>
    simulatedAgent({ etcd, index, serversEach, leaseS }),
  );
  const startedAt = performance.now();
  const runs = all.map((one) => one.run(end.signal));
  await untilPublished(all, serversEach);
  const startMs = performance.now() - startedAt;
  await sleep(sizes.restMs);
  const before = await etcdRequests(etcd);
  const restedAt = performance.now();
  await sleep(1000 * leaseS * leases);
  const requests = requestsBetween(before, await etcdRequests(etcd));
  const seconds = (performance.now() - restedAt) / 1000;
  progress(
    `  ${[...requests].map(([method, count]) => `${method} ${count}`).join(", ")} in ${seconds.toFixed(0)} s`,
  );
  end.abort();
  await Promise.all(runs);
  const sum = [...requests.values()].reduce((total, count) => total + count, 0);
  const row = { who: ROLLCALL, floor: null };
  return [
    { ...row, figure: `${what}, all at once: start -> registered`, unit: "ms", values: [startMs] },
    { ...row, figure: `${what} at rest: requests on etcd`, unit: "a second", values: [sum / seconds] },
  ];
}

function simulatedAgent(given: {
  etcd: EtcdServer;
  index: number;
  serversEach: number;
  leaseS: number;
}): Registrar {
  const { etcd, index, serversEach, leaseS } = given;
  const made = registrar({
    access: { endpoints: [`http://${etcd.endpoint}`] },
    layout: {
      prefix: "/app/servers/",
      overridesPrefix: "/app/overrides/",
      ownersPrefix: "/app/owners/",
      defaultBackend: "webserver",
    },
    host: `host-${index}`,
    agent: `agent-${index}`,
    version: "bench",
    leaseTtlS: leaseS,
    onExit: "leave",
    log: nullLogger,
    now: Date.now,
  });
  const publications = Array.from({ length: serversEach }, (_, server): Publication => {
    const number = index * serversEach + server;
    const container = number.toString(16).padStart(12, "0");
    const name = `web-${number}`;
    const id = `${container} webserver/${name}`;
    return { id, container, backend: "webserver", name, value: addressOf(number), drained: false };
  });
  made.want({ publications, containers: new Set(publications.map(({ container }) => container)) });
  return made;
}

function untilPublished(all: readonly Registrar[], serversEach: number): Promise<void> {
  return eventually(
    () => {
      const missing = all.filter((one) => one.status().published !== serversEach).length;
      if (missing > 0) throw new Error(`${missing} agents have not registered all`);
    },
    { timeoutMs: 120_000, everyMs: 5 },
  );
}

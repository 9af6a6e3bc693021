import { agentHost, containersOf, registrarOptions } from "../agent-parts.ts";
import { agentSource } from "../agent-source.ts";
import type { AgentStatus } from "../core/agent-status.ts";
import { publications } from "../core/publication.ts";
import type { Refusal, Snapshot } from "../core/snapshot.ts";
import { board as newBoard } from "../discovery/board.ts";
import { keepRunning } from "../discovery/keep-running.ts";
import { agentMetrics } from "../observe/agent-metrics.ts";
import { agentRoutes } from "../observe/agent-routes.ts";
import { rollcallVersion } from "../parts.ts";
import { registrar as newRegistrar } from "../registration/registrar.ts";
import { serveHttp } from "../serve-http.ts";
import { startWatchdog } from "../watchdog.ts";
import { type Command, type Context, EXIT } from "./command.ts";

/** Wires the parts together and runs them until the process is asked to end. */
async function execute(context: Context): Promise<number> {
  const { config, log, signal } = context;
  const [now, version, host] = [Date.now, rollcallVersion(), agentHost(config)];
  const startedAtMs = now();
  const registrar = newRegistrar(registrarOptions(context));
  const { source, hostAddress } = await agentSource(context);
  log.info(
    { version, host, address: config.address, etcdPrefix: config["etcd-prefix"] },
    "rollcall's agent starts",
  );

  let refused: readonly Refusal[] = [];
  const onPicture = (picture: Snapshot): void => {
    const made = publications(picture, { host, serverNames: config["server-names"] });
    refused = made.refusals;
    registrar.want({ publications: made.publications, containers: containersOf(picture) });
  };
  const board = newBoard({
    names: [source.name],
    onChange: () => board.snapshots().forEach(onPicture),
    now,
  });
  const status = (): AgentStatus => {
    const [ofSource] = board.sources();
    if (ofSource === undefined) throw new Error("the board has lost its source");
    const nowMs = now();
    const registration = registrar.status();
    const address = hostAddress();
    return { version, startedAtMs, nowMs, host, address, source: ofSource, registration, refused };
  };
  const routes = agentRoutes({ status, metrics: agentMetrics({ status }) });
  const http = await serveHttp({ config, routes, log });
  const watchdog = startWatchdog({ limitMs: config.watchdog, isAlive: () => true, log });
  await Promise.all([keepRunning({ source, board, log, signal }), registrar.run(signal)]);
  await http?.close();
  await watchdog.stop();
  log.info({}, "rollcall's agent ends, the containers go on");
  return EXIT.good;
}

export const register: Command = {
  name: "register",
  summary: "register this host's containers in etcd (the agent)",
  description: `Follows the Docker engine of this host and keeps its containers registered in etcd, so that load balancers
anywhere need only etcd: "rollcall run --docker off". All keys of a host share one lease; when the host burns,
they end with it. Keys that somebody else wrote are never touched.
A container that is told to stop is drained first, and taken out when it is gone. So are all, when the agent itself
is told to stop, unless on-exit says leave.
Runs until SIGTERM or SIGINT.`,
  flags: {},
  examples: [
    "rollcall register --etcd-endpoints http://etcd-1:2379,http://etcd-2:2379",
    "rollcall register --address 10.0.0.7 --server-names host",
    "rollcall register --on-exit leave",
  ],
  needsConfig: true,
  isDaemon: true,
  run: execute,
};

import type { PassRecord } from "../core/outcome.ts";
import type { Roster } from "../core/roster.ts";
import type { Stamped } from "../core/stamp.ts";
import { board as newBoard } from "../discovery/board.ts";
import { keepRunning } from "../discovery/keep-running.ts";
import { countWorkers } from "../haproxy/count-workers.ts";
import { dirtyFlag } from "../lib/dirty-flag.ts";
import { loop } from "../loop.ts";
import { startHttp } from "../observe/http.ts";
import { metrics as newMetrics } from "../observe/metrics.ts";
import { haproxyOf, rendererOf, isDockerOptional, rollcallVersion, followedSources } from "../parts.ts";
import { reconciler as newReconciler } from "../reconcile.ts";
import { statusKeeper } from "../status-keeper.ts";
import { oldWorkersTeller } from "../tell-old-workers.ts";
import { refusalTeller } from "../tell-refusals.ts";
import { watchHaproxy } from "../watch-haproxy.ts";
import { watchTemplates } from "../watch-templates.ts";
import { type Command, type Context, EXIT } from "./command.ts";

/** Wires the parts together and runs them until the process is asked to end. */
async function execute(context: Context): Promise<number> {
  const { config, log } = context;
  const now = Date.now;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const changed = dirtyFlag();
  const sources = await followedSources(context);
  const names = sources.map((source) => source.name);
  const version = rollcallVersion();
  log.info({ version, sources: names, haproxyConfig: config["haproxy-config"] }, "rollcall starts");

  const board = newBoard({
    names,
    optional: isDockerOptional(config) ? ["docker"] : [],
    onChange: changed.poke,
    now,
  });
  const haproxy = haproxyOf(context);
  const { renderer, render: renderOnce } = rendererOf(context);
  const monotonicMs = (): number => performance.now();
  const times = {
    monotonicMs,
    gateOpensAtMs: monotonicMs() + config["start-timeout"],
    reloadIntervalMs: config["reload-interval"],
    admitChecked: config.admit === "checked",
  };
  const templates = watchTemplates(changed.poke, signal);
  // Watched from the moment they were read: what is changed while a pass goes on must not be missed.
  const render = (roster: Roster): Promise<Stamped> =>
    renderOnce(roster).finally(() => templates.update(renderer.files()));
  const defaultBackend = config["default-backend"];
  const reconciler = newReconciler({
    board,
    haproxy,
    render,
    defaultBackend,
    onWritten: changed.poke,
    ...times,
  });
  const keeper = statusKeeper({ board, reconciler, version, now });
  const metrics = newMetrics({ status: keeper.status });

  const http =
    config.http === null ? null : await startHttp({ ...config.http, status: keeper.status, metrics, log });
  if (http !== null) log.info({ address: http.address }, "serving /readyz, /metrics and /api/status");
  const tellRefusals = refusalTeller(log);
  const onPass = (record: PassRecord): void => {
    keeper.onPass(record);
    metrics.onPass(record);
    tellRefusals(reconciler.roster());
  };
  const tellOldWorkers = oldWorkersTeller(log);
  const watch = {
    workerPid: async () => {
      const info = await haproxy.info();
      const workers = await countWorkers(info);
      tellOldWorkers(workers);
      return keeper.sawHaproxy(info, workers);
    },
    knownPid: () => reconciler.applied()?.pid ?? null,
    onOther: () => {
      reconciler.doubt();
      changed.poke();
    },
  };
  await allOrNone(stop, [
    ...sources.map((source) => keepRunning({ source, board, log, signal })),
    watchHaproxy(watch, signal),
    loop({ reconciler, changed, ...times, log, now, onPass }, signal),
  ]);
  await http?.close();
  log.info({}, "rollcall ends, HAProxy goes on");
  return EXIT.good;
}

/** Waits for all tasks; when one of them fails, which none should, the others are stopped and the error goes up. */
async function allOrNone(stop: AbortController, tasks: readonly Promise<void>[]): Promise<void> {
  const guarded = tasks.map((task) =>
    task.catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(guarded);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

export const run: Command = {
  name: "run",
  summary: "follow the sources and keep HAProxy up to date (the daemon)",
  description: `Follows etcd, the Docker engine and a static file, merges them into one set of servers, renders
HAProxy's configuration, brings HAProxy to run it over its socket or by a reload, and proves that it
does. The file is checked before HAProxy reads it.
Runs until SIGTERM or SIGINT; HAProxy goes on serving without it.`,
  flags: {},
  examples: [
    "rollcall run",
    "rollcall run --etcd-endpoints http://etcd-1:2379,http://etcd-2:2379 --docker off",
    "ROLLCALL_LOG_FORMAT=text rollcall run --template /etc/rollcall/haproxy.cfg.eta",
  ],
  needsConfig: true,
  run: execute,
};

import type { PassRecord } from "../core/outcome.ts";
import type { Roster } from "../core/roster.ts";
import type { Stamped } from "../core/stamp.ts";
import type { StateTrouble } from "../core/status.ts";
import { board as newBoard } from "../discovery/board.ts";
import { keepRunning } from "../discovery/keep-running.ts";
import { countWorkers } from "../haproxy/count-workers.ts";
import { readHealth } from "../haproxy/health.ts";
import { daemonState, type DaemonState, type DaemonStateOptions } from "../daemon-state.ts";
import { dirtyFlag } from "../lib/dirty-flag.ts";
import { messageOf } from "../lib/errors.ts";
import { loop } from "../loop.ts";
import { daemonRoutes } from "../observe/daemon-routes.ts";
import { MAX_SILENCE_MS } from "../observe/liveness.ts";
import { metrics as newMetrics } from "../observe/metrics.ts";
import { haproxyOf, rendererOf, isDockerOptional, rollcallVersion, followedSources } from "../parts.ts";
import { reconciler as newReconciler } from "../reconcile.ts";
import { secondOpinion } from "../second-opinion.ts";
import { serveHttp } from "../serve-http.ts";
import { statusKeeper } from "../status-keeper.ts";
import { oldWorkersTeller } from "../tell-old-workers.ts";
import { refusalTeller } from "../tell-refusals.ts";
import { startWatchdog } from "../watchdog.ts";
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

  let state: DaemonState | null = null;
  const board = newBoard({
    names,
    optional: isDockerOptional(config) ? ["docker"] : [],
    onChange: () => {
      changed.poke();
      state?.onBoard();
    },
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
  const render = async (roster: Roster): Promise<Stamped> =>
    state?.pinned() ?? renderOnce(roster).finally(() => templates.update(renderer.files()));
  const defaultBackend = config["default-backend"];
  const opinion = secondOpinion({
    holdMs: config.hold,
    readHealth: (backends) => readHealth(config["haproxy-socket"], backends),
    onChange: changed.poke,
    log,
    monotonicMs,
    now,
  });
  const kept = await stateOf(context, {
    sources,
    board,
    onChange: changed.poke,
    release: opinion.release,
    isOver: opinion.isOver,
    now,
  });
  state = kept.state;
  const reconciler = newReconciler({
    board,
    hold: opinion.over,
    haproxy,
    render,
    defaultBackend,
    onWritten: changed.poke,
    ...times,
  });
  state?.begin(reconciler.roster());
  const keeper = statusKeeper({
    board,
    reconciler,
    held: opinion.held,
    pin: () => state?.pin() ?? null,
    stateTrouble: kept.trouble,
    version,
    now,
    monotonicMs,
  });
  const metrics = newMetrics({ status: keeper.status });

  const http = await serveHttp({ config, log, routes: daemonRoutes({ status: keeper.status, metrics }) });
  const watchdog = startWatchdog({
    limitMs: config.watchdog,
    isAlive: () => keeper.silentMs() <= MAX_SILENCE_MS,
    log,
  });
  const tellRefusals = refusalTeller(log);
  const onPass = (record: PassRecord): void => {
    keeper.onPass(record);
    metrics.onPass(record);
    state?.onPass(record, { roster: reconciler.roster(), text: reconciler.applied()?.text ?? null });
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
    opinion.run(signal),
    ...(state === null ? [] : [state.run(signal)]),
    loop({ reconciler, changed, ...times, log, now, onPass }, signal),
  ]);
  await http?.close();
  await watchdog.stop();
  log.info({}, "rollcall ends, HAProxy goes on");
  return EXIT.good;
}

/** `state` is null when nothing is to be remembered, or cannot be: HAProxy is served all the same. */
async function stateOf(
  { config, log }: Context,
  given: Omit<DaemonStateOptions, "path" | "log">,
): Promise<{ state: DaemonState | null; trouble: () => StateTrouble | null }> {
  const path = config["state-dir"];
  if (path === null) return { state: null, trouble: () => null };
  try {
    const state = await daemonState({ ...given, path, log });
    return { state, trouble: state.trouble };
  } catch (error) {
    const trouble = { reason: messageOf(error), sinceMs: given.now() };
    log.error({ reason: trouble.reason }, "going on without a state folder");
    return { state: null, trouble: () => trouble };
  }
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
  isDaemon: true,
  run: execute,
};

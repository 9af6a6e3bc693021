import { createHash } from "node:crypto";
import type { Container, ContainerSettings } from "../core/container.ts";
import { containerServers } from "../core/container-servers.ts";
import { snapshot, type Snapshot } from "../core/snapshot.ts";
import { dirtyFlag, type DirtyFlag } from "../lib/dirty-flag.ts";
import { SourceError } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import type { ContainerVariables, VariablesRun } from "./container-variables.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { parseDockerEvent } from "./docker-event.ts";
import { selfPlace } from "./docker-self.ts";
import type { SwarmReader } from "./docker-swarm.ts";
import type { StopSignals } from "./stop-signals.ts";

/** When we act of our own accord, in milliseconds. */
export interface DockerPace {
  /** Between two pings: the only way to notice an engine that hangs. */
  readonly pingEveryMs: number;
  /** Between two lists when nothing happens. */
  readonly relistMs: number;
  /** Between two lists when much happens; the first one never waits. */
  readonly gapMs: number;
  /**
   * How long after the last event to list once more. An engine tells of some changes before its list shows them
   * (Docker 20.10: pause, unpause and network disconnect nearly always, by up to 115 ms), and it answers the request
   * for the stream before it really listens.
   */
  readonly afterwardsMs: readonly number[];
}

export interface DockerWatch {
  readonly engine: DockerEngine;
  readonly endpoint: DockerEndpoint;
  readonly settings: Omit<ContainerSettings, "self">;
  readonly selfId: string | undefined;
  readonly signals: StopSignals;
  /** null = nobody reads them. */
  readonly variables: ContainerVariables | null;
  /** null = the engine's own containers are all that counts. */
  readonly swarm: SwarmReader | null;
  readonly pace: DockerPace;
  readonly now: () => number;
  readonly publish: (snapshot: Snapshot) => void;
}

/** A watch under way. */
interface Run extends DockerWatch {
  readonly ended: AbortSignal;
  readonly flag: DirtyFlag;
  readonly asking: VariablesRun;
  lastEventMs: number;
}

/**
 * Follows one engine until the connection breaks or `signal` aborts; always ends by throwing.
 * @throws SourceError
 */
export async function watchEngine(watch: DockerWatch, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const lines = await watch.engine.events(ended, watch.swarm !== null);
  const flag = dirtyFlag();
  const asking = askingOf(watch, { flag, ended });
  const run: Run = { ...watch, ended, flag, asking, lastEventMs: watch.now() };
  const parts = [followEvents(run, lines), keepListing(run), keepPinging(run)];
  try {
    await Promise.race(parts);
  } finally {
    stop.abort();
    await Promise.allSettled(parts);
  }
}

function askingOf(watch: DockerWatch, { flag, ended }: Pick<Run, "flag" | "ended">): VariablesRun {
  const { engine, now, settings } = watch;
  const tools = settings.foreign ?? { registrator: false, nginxProxy: false };
  return {
    ask: (id) => engine.variables(id, tools, ended),
    ping: () => engine.ping(ended),
    now,
    onNews: () => flag.poke(),
  };
}

/** Events say that something changed; what it is now like is read from the list. Only signals are remembered. */
async function followEvents(run: Run, lines: AsyncIterable<string>): Promise<void> {
  const { signals, flag, now } = run;
  for await (const line of lines) {
    if (line === "") continue;
    const event = parseDockerEvent(line);
    if (event.kind === "kill") signals.kill({ ...event, sinceMs: now() });
    if (event.kind === "start") signals.started(event.id);
    run.lastEventMs = now();
    flag.poke();
    const undecided = signals.undecided();
    if (undecided.length === 0) continue;
    await review(run, undecided);
    flag.poke();
  }
  throw new SourceError(`the Docker engine at ${run.endpoint.shown} ended the event stream`);
}

async function keepListing(run: Run): Promise<void> {
  const { pace, now, ended } = run;
  let published = { revision: "", atMs: -Infinity };
  for (;;) {
    const startedMs = now();
    if (startedMs - published.atMs >= pace.relistMs) await review(run, run.signals.remembered());
    const { picture, nextChangeMs } = await readPicture(run);
    if (picture.revision !== published.revision || startedMs - published.atMs >= pace.relistMs) {
      run.publish(picture);
      published = { revision: picture.revision, atMs: startedMs };
    }
    await sleep(pace.gapMs, ended);
    const followUps = pace.afterwardsMs.map((ms) => run.lastEventMs + ms);
    const nextMs = Math.min(
      followUps.find((atMs) => atMs > startedMs) ?? Infinity,
      nextChangeMs,
      published.atMs + pace.relistMs,
    );
    await run.flag.wait(ended, Math.max(0, nextMs - now()));
    ended.throwIfAborted();
  }
}

async function keepPinging({ engine, pace, ended }: Run): Promise<void> {
  for (;;) {
    await sleep(pace.pingEveryMs, ended);
    await engine.ping(ended);
  }
}

/** Asks about containers whose signals may mean nothing, or nothing any more: they may have been started again. */
async function review({ engine, signals, ended }: Run, ids: readonly string[]): Promise<void> {
  for (const id of ids) signals.learn(id, await engine.inspect(id, ended));
}

async function readPicture(run: Run): Promise<{ picture: Snapshot; nextChangeMs: number }> {
  const { signals, endpoint, selfId } = run;
  const before = signals.moment();
  const listed = await run.engine.list(run.ended);
  const containers = (await run.variables?.fill(listed, run.asking)) ?? listed;
  signals.keepOnly(new Map(containers.map(({ id, startMark }) => [id, startMark])), before);
  const marked = containers.map((one): Container => ({ ...one, stopping: signals.stopping(one.id) }));
  const alone = { here: marked, elsewhere: [], againAtMs: null };
  const { here, elsewhere, againAtMs } = (await run.swarm?.read(run.engine, marked, run.ended)) ?? alone;
  const { self, warning } = selfPlace({ containers: here, elsewhere, selfId, endpoint });
  const read = containerServers([...here, ...elsewhere], { ...run.settings, self }, run.now());
  const { servers, quarantined, waiting, notes } = read;
  const nextChangeMs = Math.min(read.nextChangeMs ?? Infinity, againAtMs ?? Infinity);
  const source = run.settings.source;
  const ours = { origin: { source, id: endpoint.shown, revision: "" }, reason: warning ?? "" };
  const unread = run.variables?.warnings(containers, { source, engine: endpoint.shown }) ?? [];
  const warnings = [...(warning === null ? [] : [ours]), ...unread, ...read.warnings];
  const content = { servers, quarantined, waiting, warnings, ...(notes.length > 0 ? { notes } : {}) };
  const revision = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
  return { picture: snapshot({ source, revision, ...content }), nextChangeMs };
}

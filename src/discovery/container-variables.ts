import type { Container } from "../core/container.ts";
import { shownContainer } from "../core/container-name.ts";
import type { Refusal } from "../core/snapshot.ts";
import { messageOf } from "../lib/errors.ts";
import { harmless } from "../lib/harmless.ts";
import { sleep } from "../lib/sleep.ts";
import { DockerTimeout } from "./docker-call.ts";
import type { Variables } from "./docker-variables.ts";

/** The variables of containers, which no list tells: each container is asked about once, for they never change. */
export interface ContainerVariables {
  /**
   * Adds what is known of each container's variables, and asks about those that are new. The first time in a run all
   * answers are waited for, later for `WAIT_MS`; what comes after that calls `onNews`. Whoever cannot be read is asked
   * again when `AGAIN_MS` are over, without being waited for.
   * @throws what `ask` throws when that is about the engine, not about one container.
   */
  fill(containers: readonly Container[], run: VariablesRun): Promise<readonly Container[]>;
  /** Whose variables are not known, and why; `engine` stands for all of them. */
  warnings(containers: readonly Container[], origin: { source: string; engine: string }): readonly Refusal[];
}

/** What a run of the source brings along. */
export interface VariablesRun {
  readonly ask: (id: string) => Promise<Variables>;
  /** Throws when the engine does not answer. */
  readonly ping: () => Promise<void>;
  readonly now: () => number;
  readonly onNews: () => void;
}

const AT_ONCE = 8;
const WAIT_MS = 1000;
const AGAIN_MS = 30_000;
const FORBIDDEN =
  "inspections are forbidden: SERVICE_ and VIRTUAL_ labels are read, environment variables are not";

/** `isMeant`: whether a container may be in at all. */
export function containerVariables(isMeant: (container: Container) => boolean): ContainerVariables {
  const known = new Map<string, ReadonlyMap<string, string>>();
  const failed = new Map<string, { reason: string; againMs: number }>();
  const asked = new Set<string>();
  let lastRun: VariablesRun | null = null;
  const askOne = async (id: string, { ask, now }: VariablesRun): Promise<void> => {
    const fail = (reason: string): void => void failed.set(id, { reason, againMs: now() + AGAIN_MS });
    try {
      const variables = await ask(id);
      failed.delete(id);
      if (variables === "forbidden") fail(FORBIDDEN);
      else known.set(id, variables ?? new Map());
    } catch (thrown) {
      if (!isOfOne(thrown)) throw thrown;
      fail(`its environment variables cannot be read: ${harmless(messageOf(thrown).slice(0, 300))}`);
    } finally {
      asked.delete(id);
    }
  };
  /** Resolves when all are answered, be it by a failure. */
  const askAll = async (ids: readonly string[], run: VariablesRun): Promise<void> => {
    for (const id of ids) asked.add(id);
    const queue = [...ids];
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) await askOne(id, run);
    };
    const workers = Array.from({ length: Math.min(AT_ONCE, ids.length) }, worker);
    try {
      await Promise.all(workers);
      // An engine that hangs says nothing about its containers.
      if (ids.some((id) => failed.has(id) && failed.get(id)?.reason !== FORBIDDEN)) await run.ping();
    } finally {
      for (const id of queue.splice(0)) asked.delete(id);
    }
  };
  const forget = (containers: readonly Container[]): void => {
    const ids = new Set(containers.map(({ id }) => id));
    for (const memory of [known, failed]) for (const id of memory.keys()) if (!ids.has(id)) memory.delete(id);
  };
  return {
    fill: async (containers, run) => {
      forget(containers);
      const open = containers.filter((one) => !known.has(one.id) && !asked.has(one.id) && isMeant(one));
      const ids = open.map(({ id }) => id);
      const again = ids.filter((id) => (failed.get(id)?.againMs ?? Infinity) <= run.now());
      const fresh = ids.filter((id) => !failed.has(id));
      if (again.length > 0) askAll(again, run).then(run.onNews, nothing);
      if (fresh.length > 0) {
        const answers = askAll(fresh, run);
        const isInTime = await inTime(answers, lastRun === run ? WAIT_MS : null);
        if (!isInTime) answers.then(run.onNews, nothing);
      }
      lastRun = run;
      return containers.map((one) => withVariables(one, known.get(one.id)));
    },
    warnings: (containers, { source, engine }) => {
      const refusal = (id: string, reason: string): Refusal => ({
        origin: { source, id, revision: "" },
        reason,
      });
      const reasons = containers.map((one) => ({ one, reason: failed.get(one.id)?.reason }));
      const unread = reasons.flatMap(({ one, reason }) =>
        reason === undefined || reason === FORBIDDEN ? [] : [refusal(shownContainer(one), reason)],
      );
      return reasons.some(({ reason }) => reason === FORBIDDEN)
        ? [refusal(engine, FORBIDDEN), ...unread]
        : unread;
    },
  };
}

/** Whether the engine failed at this container only: it took too long, or said itself that something went wrong. */
function isOfOne(thrown: unknown): boolean {
  const { cause } = thrown as { cause?: { statusCode?: number } };
  return thrown instanceof DockerTimeout || (cause?.statusCode ?? 0) >= 500;
}

/** What went wrong with a call that nobody waits for shows in the next one. */
const nothing = (): void => undefined;

/** Whether it ended within the time; null = it has all the time it needs. */
async function inTime(promise: Promise<void>, limitMs: number | null): Promise<boolean> {
  const done = promise.then(() => true);
  if (limitMs === null) return done;
  const stop = new AbortController();
  const late = sleep(limitMs, stop.signal).then(() => false);
  return Promise.race([done, late]).finally(() => stop.abort());
}

const withVariables = (container: Container, variables?: ReadonlyMap<string, string>): Container =>
  variables === undefined || variables.size === 0 ? container : { ...container, variables };

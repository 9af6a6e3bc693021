import { decide, type Decision } from "../core/decision.ts";
import { hostConcern } from "../core/host-concern.ts";
import { keyTail } from "../core/registry-keys.ts";
import { possibleNames } from "../core/published-name.ts";
import { sleep } from "../lib/sleep.ts";
import { holdHost } from "./hold-host.ts";
import type { Connection } from "./keep-connected.ts";
import { keepLease, refreshLease } from "./keep-lease.ts";
import type { Publishing } from "./publishing.ts";
import type { RegistrarMemory } from "./registrar-memory.ts";
import { registryCopy } from "./registry-copy.ts";
import { tellDecision } from "./tell-decision.ts";
import { withdraw } from "./withdraw.ts";
import { writeDecision } from "./write-decision.ts";

/** Time after which everything is read again over a new connection, ±10 %. */
const RELIST_MS = 5 * 60_000;

/**
 * Brings the store to what is wanted, and again whenever something changes there or here, until the connection breaks
 * (throws), it is time to read everything again, or the process is to end and has withdrawn (returns).
 */
export async function keepPublishing(given: Connection & { memory: RegistrarMemory }): Promise<void> {
  const { session, memory } = given;
  const { layout, host } = memory.options;
  const scope = new AbortController();
  const ended = AbortSignal.any([given.ended, scope.signal]);
  // The time is running, and reading everything may take some of it.
  await refreshLease(given);
  const copy = await registryCopy({ session, layout, host });
  const publishing = { ...given, ended, copy };
  const concern = new Set<string>([`@${host}`]);
  const onEvents = (tails: readonly string[]): void => {
    if (tails.some((tail) => concern.has(tail))) memory.changed.poke();
  };
  memory.changed.poke();
  const parts = [
    copy.follow(onEvents, ended),
    keepLease(publishing),
    takeTurns(publishing, concern),
    sleep(RELIST_MS * (0.9 + 0.2 * Math.random()), ended),
  ];
  try {
    await Promise.race(parts);
  } finally {
    scope.abort();
    await Promise.allSettled(parts);
  }
}

async function takeTurns(publishing: Publishing, concern: Set<string>): Promise<void> {
  const { memory, ended } = publishing;
  while ((await memory.changed.wait(ended)) === "poked") {
    if (memory.isEnding) return withdraw(publishing);
    const decision = await turn(publishing);
    if (decision !== null) note(decision, { memory, concern });
  }
}

/** One step; what it writes comes back as an event, and the next step sees whether all is done. */
async function turn(publishing: Publishing): Promise<Decision | null> {
  const { memory, copy, onGood } = publishing;
  const { wanted, options } = memory;
  const { host, agent, layout } = options;
  if (wanted === null) {
    memory.tell({ state: "waiting", why: "the engine's containers are not known yet" });
    return null;
  }
  const held = hostConcern({
    host,
    agent,
    record: copy.host(),
    copy,
    containers: wanted.containers,
    mayTakeOver: !memory.hasHeld,
  });
  if (held.kind !== "ours") {
    await holdHost(held, publishing);
    return null;
  }
  memory.lease = held.lease;
  memory.hasHeld = true;
  const standing = { host, lease: held.lease };
  const decision = decide({ wanted: wanted.publications, copy, standing, layout });
  const missing = decision.changes.filter(({ kind }) => kind === "publish" || kind === "update").length;
  memory.tell({
    state: "registering",
    why: null,
    lease: held.lease,
    published: decision.places.size - missing,
    doubts: decision.doubts,
  });
  if (decision.changes.length === 0) onGood();
  else await writeDecision(decision.changes, publishing);
  return decision;
}

/** Remembers which keys matter: those of the host's servers, and those that they might get. */
function note(
  decision: Decision,
  { memory, concern }: { memory: RegistrarMemory; concern: Set<string> },
): void {
  const { host, layout } = memory.options;
  tellDecision(decision, memory);
  concern.clear();
  concern.add(`@${host}`);
  for (const tail of decision.places.values()) concern.add(tail);
  for (const { name, container, backend } of memory.wanted?.publications ?? []) {
    for (const one of possibleNames({ name, host, container })) {
      concern.add(keyTail({ backend, name: one }, layout));
      if (backend === layout.defaultBackend) concern.add(`${backend}/${one}`);
    }
  }
}

import { type Place, randomChange } from "../test/support/random-change.ts";
import type { SeededRandom } from "../test/support/seeded-random.ts";
import type { Change, WantedRoster } from "../test/support/wanted-roster.ts";

/** What can be broken, with the part that it breaks: a round has no two faults of one part. */
const PARTS = {
  "member-killed": "etcd",
  "member-paused": "etcd",
  "member-wiped": "etcd",
  "leader-killed": "etcd",
  "quorum-lost": "etcd",
  "store-wiped": "etcd",
  compacted: "history",
  "haproxy-worker-killed": "haproxy",
  "haproxy-master-killed": "haproxy",
  "rollcall-killed": "rollcall",
  "rollcall-paused": "rollcall",
  "agent-killed": "agent",
  "app-killed": "app",
  "state-disk-full": "disk",
  "config-disk-full": "disk",
  "hostile-keys": "keys",
} as const;

export type FaultName = keyof typeof PARTS;
export const FAULTS = Object.keys(PARTS) as readonly FaultName[];
export const isFaultName = (name: string): name is FaultName => name in PARTS;
export const partOf = (name: FaultName): string => PARTS[name];

export interface PlannedFault {
  readonly name: FaultName;
  readonly forMs: number;
  /** Decides which member, agent or application it is. */
  readonly pick: number;
}

export type PlannedChange =
  | { readonly kind: "key"; readonly change: Change }
  /** A container comes, is stopped (`docker stop`) or dies without a word (`docker kill`). */
  | { readonly kind: "container"; readonly name: string; readonly act: "start" | "stop" | "kill" };

export interface Round {
  readonly number: number;
  readonly faults: readonly PlannedFault[];
  readonly changes: readonly PlannedChange[];
  /** What is to run when all of it is done. */
  readonly wanted: WantedRoster;
}

/** The names that come up, and where each of them can be. */
export interface Cast {
  readonly operators: readonly string[];
  readonly containers: readonly string[];
  readonly placesOf: (name: string) => readonly Place[];
}

export const BACKEND = "webserver";
/** It comes and goes with its only server, which takes a reload. */
export const OTHER_BACKEND = "api";
const AT_LEAST_CONTAINERS = 8;
const MIN_FAULT_MS = 500;
const MAX_FAULT_MS = 9000;
const MAX_CHANGES = 6;

/** All that is done in a run, round by round. The same seed and faults give the same rounds. */
export function* rounds(given: {
  random: SeededRandom;
  cast: Cast;
  wanted: WantedRoster;
  faults: readonly FaultName[];
}): Generator<Round, never> {
  const { random, cast } = given;
  let { wanted } = given;
  for (let number = 1; ; number++) {
    const faults = drawFaults(random, given.faults);
    const changes: PlannedChange[] = [];
    // While the store is empty nobody can tell what was deleted on purpose.
    const count = faults.some(({ name }) => name === "store-wiped") ? 0 : random.below(MAX_CHANGES + 1);
    for (let one = 0; one < count; one++) {
      const drawn = drawChange({ random, cast, wanted, before: changes });
      wanted = wanted.after(drawn.effect);
      changes.push(drawn.planned);
    }
    yield { number, faults, changes, wanted };
  }
}

function drawFaults(random: SeededRandom, names: readonly FaultName[]): readonly PlannedFault[] {
  const faults: PlannedFault[] = [];
  const count = names.length === 0 ? 0 : random.pick([0, 1, 1, 1, 2, 2]);
  for (let one = 0; one < count; one++) {
    const name = random.pick(names);
    const forMs = MIN_FAULT_MS + random.below(MAX_FAULT_MS - MIN_FAULT_MS);
    const pick = random.below(1000);
    if (name === "store-wiped") return [{ name, forMs, pick }];
    if (faults.every((other) => partOf(other.name) !== partOf(name))) faults.push({ name, forMs, pick });
  }
  return faults;
}

interface Drawn {
  readonly planned: PlannedChange;
  readonly effect: Change;
}

function drawChange(given: {
  random: SeededRandom;
  cast: Cast;
  wanted: WantedRoster;
  before: readonly PlannedChange[];
}): Drawn {
  const { random, wanted, cast } = given;
  const what = random.below(10);
  if (what < 6) {
    const { operators, placesOf } = cast;
    const change = randomChange({ wanted, random, backend: BACKEND, names: operators.length, placesOf });
    return { planned: { kind: "key", change }, effect: change };
  }
  if (what === 6) return otherBackend(given);
  return container(given);
}

function otherBackend({ wanted, cast }: { wanted: WantedRoster; cast: Cast }): Drawn {
  const id = `${OTHER_BACKEND}/api0`;
  const [place] = cast.placesOf("api0");
  const change: Change = { id, server: wanted.servers.has(id) || place === undefined ? null : place };
  return { planned: { kind: "key", change }, effect: change };
}

/** One container at most ends in a round: HAProxy tries four servers for a request, which must not all be dead. */
function container(given: Parameters<typeof drawChange>[0]): Drawn {
  const { random, cast, wanted, before } = given;
  const id = (name: string): string => `${BACKEND}/${name}`;
  const present = cast.containers.filter((name) => wanted.servers.has(id(name)));
  const name = random.pick(cast.containers);
  const isLeaving = before.some((one) => one.kind === "container" && one.act !== "start");
  if (!present.includes(name)) {
    const [place] = cast.placesOf(name);
    if (place === undefined) throw new Error(`no place for ${name}`);
    return { planned: { kind: "container", name, act: "start" }, effect: { id: id(name), server: place } };
  }
  if (!isLeaving && present.length > AT_LEAST_CONTAINERS) {
    const act = random.pick(["stop", "stop", "kill"] as const);
    return { planned: { kind: "container", name, act }, effect: { id: id(name), server: null } };
  }
  // An operator drains it, or takes that back.
  const change: Change = { id: id(name), override: random.pick(["drain", null, null] as const) };
  return { planned: { kind: "key", change }, effect: change };
}

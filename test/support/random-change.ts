import type { SeededRandom } from "./seeded-random.ts";
import type { Change, WantedOverride, WantedRoster, WantedServer } from "./wanted-roster.ts";

export type Place = Pick<WantedServer, "host" | "port">;

export interface RandomChangeOptions {
  readonly wanted: WantedRoster;
  readonly random: SeededRandom;
  readonly backend: string;
  /** How many different server names come up. */
  readonly names: number;
  /** Where a server can be; with one place for each, none moves. */
  readonly placesOf: (name: string) => readonly Place[];
}

/**
 * A random change to one server of a backend: add, remove, weight, drain, maintenance and back, by its value and by an
 * override, and another address. When it is made, at least one server takes requests.
 */
export function randomChange(options: RandomChangeOptions): Change {
  for (;;) {
    const change = propose(options);
    if (options.wanted.after(change).takers(options.backend).size > 0) return change;
  }
}

function propose({ wanted, random, backend, names, placesOf }: RandomChangeOptions): Change {
  const name = `web${random.below(names)}`;
  const id = `${backend}/${name}`;
  const place = random.pick(placesOf(name));
  const old = wanted.servers.get(id);
  if (old === undefined) return { id, server: { ...place, ...random.pick(STATES) } };
  switch (random.below(6)) {
    case 0:
      return { id, server: null };
    case 1:
      return { id, server: { ...old, weight: 1 + random.below(100) } };
    case 2:
      return { id, server: { ...old, ...place } };
    case 3:
      return { id, server: { host: old.host, port: old.port, ...random.pick(STATES) } };
    case 4:
      return { id, override: null };
    default:
      return {
        id,
        override: random.pick<WantedOverride>(["drain", "maint", "ready", `weight=${random.below(10)}`]),
      };
  }
}

const STATES: readonly Partial<WantedServer>[] = [
  {},
  {},
  {},
  { weight: 10 },
  { weight: 11 },
  { state: "drain" },
  { state: "maint" },
];

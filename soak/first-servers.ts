import { type WantedRoster, wantedRoster } from "../test/support/wanted-roster.ts";
import { makeChange } from "./changes.ts";
import type { Lab } from "./lab.ts";
import { BACKEND, type PlannedChange } from "./rounds.ts";

const FIRST_SERVERS = 8;
const FIRST_CONTAINERS = 12;

/** Writes the keys and starts the containers that are there from the beginning. */
export async function firstServers(lab: Lab): Promise<WantedRoster> {
  const { operators, containers, placesOf } = lab.cast;
  for (const agent of lab.agents.values()) agent.start();
  let wanted = wantedRoster();
  const make = async (name: string, planned: PlannedChange): Promise<void> => {
    const [server] = placesOf(name);
    if (server === undefined) throw new Error(`no place for ${name}`);
    wanted = wanted.after({ id: `${BACKEND}/${name}`, server });
    await makeChange(planned, lab);
  };
  for (const name of operators.slice(0, FIRST_SERVERS)) {
    const [server = null] = placesOf(name);
    await make(name, { kind: "key", change: { id: `${BACKEND}/${name}`, server } });
  }
  // Every other one, so that both hosts have some.
  const order = containers.toSorted((a, b) => (a.slice(1) < b.slice(1) ? -1 : 1));
  for (const name of order.slice(0, FIRST_CONTAINERS))
    await make(name, { kind: "container", name, act: "start" });
  return wanted;
}

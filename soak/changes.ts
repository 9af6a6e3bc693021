import { setTimeout as sleep } from "node:timers/promises";
import { hostOf, type Lab } from "./lab.ts";
import type { PlannedChange } from "./rounds.ts";

/** An application that is stopped goes on so long after its container was: an agent drains it first. */
const GRACE_MS = 500;
const UNTIL_DOWN_MS = 6000;

/** Makes one of the planned changes; resolves when etcd has it, or when the agent knows of it. */
export async function makeChange(planned: PlannedChange, lab: Lab): Promise<void> {
  if (planned.kind === "key") return lab.operator.make(planned.change);
  const { name, act } = planned;
  const agent = lab.agents.get(hostOf(name));
  if (act === "start") {
    await lab.apps.start(name);
    agent?.add(name, lab.apps.place(name));
    return;
  }
  if (act === "stop") {
    agent?.remove(name);
    await sleep(GRACE_MS);
    await quietly(lab.apps.stop(name));
    // With etcd or its agent away it is served until HAProxy's checks find out.
    lab.excuses.begin("an application was killed", UNTIL_DOWN_MS)();
    return;
  }
  const end = lab.excuses.begin("an application was killed", UNTIL_DOWN_MS);
  await lab.apps.kill(name);
  agent?.remove(name);
  end();
}

/** Connections that HAProxy keeps in its pool end when they are used the next time, or with the run. */
async function quietly(closing: Promise<void>): Promise<void> {
  await Promise.race([closing, sleep(GRACE_MS, undefined, { ref: false })]);
}

import { handOver } from "../core/server-state.ts";
import { serverStatePath } from "../core/server-state-path.ts";
import type { Stamped } from "../core/stamp.ts";
import { wantedServers } from "../core/wanted-servers.ts";
import type { Logger } from "../lib/logger.ts";
import { serverStateFile } from "./server-state-file.ts";
import { ask } from "./socket.ts";

/** The worker answers at once, or a reload does without. */
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Does `work`, which reloads HAProxy, while the file for servers' states holds those that the old worker knows: so a
 * server that is down is not served again for a moment. Where the candidate names no such file, there is none. What
 * goes wrong is no reason to put off a reload.
 */
export async function handOverStates<T>(
  given: {
    candidate: Stamped;
    socketPath: string;
    /** Servers that the old worker does not have wait for their first good check. */
    newStartDown: boolean;
    log: Logger;
  },
  work: () => Promise<T>,
): Promise<T> {
  const { candidate, socketPath, newStartDown, log } = given;
  const path = serverStatePath(candidate.sections);
  if (path === null) return work();
  const file = serverStateFile(path);
  const tell = (error: Error | null): void => {
    if (error !== null) log.warn({ reason: error.message }, "the states of servers were not handed over");
  };
  const command = { path: socketPath, command: "show servers state", timeoutMs: ANSWER_TIMEOUT_MS };
  const states = await ask(command).catch(() => null);
  if (states !== null) {
    const wanted = wantedServers(candidate.sections).servers;
    const startDown = new Set(newStartDown ? wanted.keys() : []);
    tell(await file.save(handOver(states, { wanted, startDown })));
  }
  try {
    return await work();
  } finally {
    tell(await file.clear());
  }
}

/** Empties the file for servers' states of a text: one that an earlier Rollcall left behind would be read at a start. */
export async function clearStates(text: Pick<Stamped, "sections">): Promise<void> {
  const path = serverStatePath(text.sections);
  if (path !== null) await serverStateFile(path).clear();
}

/** Makes an empty one where there is none, of which HAProxy up to 3.0 warns. */
export async function createStates(text: Pick<Stamped, "sections">): Promise<void> {
  const path = serverStatePath(text.sections);
  if (path !== null) await serverStateFile(path).create();
}

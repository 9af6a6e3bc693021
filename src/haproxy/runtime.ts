import { commandsOf, type Operation } from "../core/operation.ts";
import { sleep } from "../lib/sleep.ts";
import { ask } from "./socket.ts";

/** HAProxy 3.2 runs nothing of a line that is longer than its buffer (tune.bufsize, 16 kB). */
const MAX_LINE = 8000;
const ANSWER_TIMEOUT_MS = 10_000;
/** What is told of answers that nobody expected: how many, and how much of each. */
const MAX_COMPLAINTS = 20;
const MAX_COMPLAINT = 300;
/** A server whose last request has just ended can be deleted within milliseconds (measured: 1 to 13 under load). */
const DELETE_AGAIN_MS = [1, 2, 4, 8, 15];

/** All that HAProxy 2.6 to 3.2 say when they did what they were told; anything else is a complaint. */
const GOOD_ANSWER =
  /^(?:|New server registered\.|Server deleted\.|nothing changed|no need to change .*|(?:IP|addr|port) changed .*|.*port changed .*)$/;
const STILL_BUSY = /^Server still has connections attached to it/;

/**
 * Carries out operations over the worker's socket, in their order, each on one line.
 * @returns what HAProxy said against it; that it did nothing wrong is for the list of servers to show.
 * @throws Error when the socket does not answer.
 */
export async function tell(socketPath: string, operations: readonly Operation[]): Promise<readonly string[]> {
  const complaints = new Set<string>();
  for (const line of batches(operations.map((operation) => commandsOf(operation).join(";")))) {
    for (const answer of await answers(socketPath, line))
      if (!GOOD_ANSWER.test(answer) && !STILL_BUSY.test(answer))
        complaints.add(answer.slice(0, MAX_COMPLAINT));
  }
  return [...complaints].slice(0, MAX_COMPLAINTS);
}

/**
 * Deletes servers that are in maintenance, as far as they have no connections any more.
 * @param keys `backend/server`
 * @param putAgain put each of them there once more before; it takes no requests meanwhile.
 * @returns those that still have some.
 * @throws Error when the socket does not answer.
 */
export async function deleteServers(
  socketPath: string,
  keys: readonly string[],
  putAgain: boolean,
): Promise<readonly string[]> {
  const again = (key: string): string => `set server ${key} state drain;set server ${key} state maint;`;
  const commands = keys.map((key) => `${putAgain ? again(key) : ""}del server ${key}`);
  const found: string[] = [];
  for (const line of batches(commands))
    found.push(...(await answers(socketPath, line)).filter((answer) => answer !== ""));
  // Where each server is there, only its deletion says something; where one is not, it is not known whose answer is whose.
  if (found.length === keys.length) return keys.filter((_, at) => STILL_BUSY.test(found[at] ?? ""));
  if (keys.length <= 1) return found.some((answer) => STILL_BUSY.test(answer)) ? keys : [];
  const busy: string[] = [];
  for (const key of keys) busy.push(...(await deleteServers(socketPath, [key], putAgain)));
  return busy;
}

/** The same, a few times within milliseconds. */
export async function deleteServersSoon(
  socketPath: string,
  keys: readonly string[],
  putAgain: boolean,
): Promise<readonly string[]> {
  let busy = keys;
  for (const pauseMs of DELETE_AGAIN_MS) {
    if (busy.length === 0) break;
    await sleep(pauseMs);
    busy = await deleteServers(socketPath, busy, putAgain);
  }
  return busy;
}

/** Ends what goes on with servers; the clients notice. */
export async function endSessions(socketPath: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) await answers(socketPath, `shutdown sessions server ${key}`);
}

const answers = async (socketPath: string, command: string): Promise<readonly string[]> => {
  const answer = await ask({ path: socketPath, command, timeoutMs: ANSWER_TIMEOUT_MS });
  return answer.split("\n").map((line) => line.trim());
};

/** Joins what belongs together to lines that HAProxy takes. */
function batches(commands: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const command of commands) {
    if (line !== "" && line.length + command.length > MAX_LINE) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? command : `;${command}`;
  }
  return line === "" ? lines : [...lines, line];
}

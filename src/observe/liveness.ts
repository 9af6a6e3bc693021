import type { Status } from "../core/status.ts";

/**
 * The loop makes a pass at least once a minute, and no pass that works takes minutes. Whoever has ended none for this
 * long hangs.
 */
export const MAX_SILENCE_MS = 5 * 60_000;

/**
 * Whether the loop turns: its last pass, or the start of the process before the first one, ended no more than five
 * minutes ago. How passes end says nothing here: a restart mends no registry, no template and no HAProxy. A process
 * that cannot even answer is found dead by the probe's own time limit.
 */
export function isAlive({ silentMs }: Pick<Status, "silentMs">): boolean {
  return silentMs <= MAX_SILENCE_MS;
}

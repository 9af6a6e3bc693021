import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { textFields } from "./text-fields.ts";

/**
 * Which agent registers for a host: the value of the host's key. It stands on the lease that all of the host's keys
 * share, so it ends with it; whoever writes for the host does so on condition that this key still is his.
 */
export interface HostRecord {
  readonly host: string;
  /** Made up at each start of an agent. */
  readonly agent: string;
  /** Version of Rollcall. */
  readonly version: string;
}

export const hostRecordText = ({ host, agent, version }: HostRecord): string =>
  JSON.stringify({ host, agent, version });

/** Reads a host key's value. What it does not know is left aside: later versions may say more. */
export function parseHostRecord(text: string): Result<HostRecord> {
  const fields = textFields(text, ["host", "agent", "version"]);
  return fields === null ? refuse(`${quote(text)} is no record of a host`) : accept(fields);
}

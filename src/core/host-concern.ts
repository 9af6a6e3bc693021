import { parseHostRecord } from "./host-record.ts";
import type { RegistryCopy, StoredKey } from "./decision.ts";
import { parseOwner } from "./owner.ts";
import { NO_LEASE } from "./store-write.ts";

/** Whose a host's name is at the moment, for an agent that wants it. */
export type HostConcern =
  /** Nobody's. */
  | { readonly kind: "free" }
  /** Ours: all of the host's keys go with this lease. */
  | { readonly kind: "ours"; readonly lease: string }
  /** Our predecessor's: an agent that registered containers of this engine. We go on with its lease. */
  | { readonly kind: "successor"; readonly lease: string; readonly modRevision: string }
  /** Somebody else's, and why that is thought. */
  | { readonly kind: "taken"; readonly why: string };

/**
 * Reads a host's record.
 * @param given.containers short ids of all containers of our engine, however they are: who registered one of them ran
 * beside the same engine.
 * @param given.mayTakeOver false for an agent that has held the name before: whoever took it from it came after it,
 * and two that take it from each other would do so for ever.
 */
export function hostConcern(given: {
  host: string;
  agent: string;
  record: StoredKey | undefined;
  copy: RegistryCopy;
  containers: ReadonlySet<string>;
  mayTakeOver: boolean;
}): HostConcern {
  const { host, agent, record, copy } = given;
  if (record === undefined) return { kind: "free" };
  const { lease, modRevision } = record;
  if (lease === NO_LEASE) {
    return { kind: "taken", why: "its record has no lease: it was written by hand, delete it" };
  }
  const parsed = parseHostRecord(record.value ?? "");
  if (parsed.ok && parsed.value.agent === agent) return { kind: "ours", lease };
  if (!given.mayTakeOver) {
    return { kind: "taken", why: "another agent of this name has taken over; this one waits" };
  }
  const neighbours = [...copy.owners.values()].filter((owner) => owner.lease === lease);
  const isNeighbour = ({ value }: StoredKey): boolean => {
    const owner = parseOwner(value ?? "");
    return owner.ok && owner.value.host === host && given.containers.has(owner.value.container);
  };
  if (neighbours.some(isNeighbour)) return { kind: "successor", lease, modRevision };
  return {
    kind: "taken",
    why: "another agent registers under this name; if it is gone, its lease will end, if it is another host, give each a host-name of its own",
  };
}

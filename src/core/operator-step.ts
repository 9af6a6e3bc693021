import { quote } from "./address.ts";
import { nameOf, type RegistryView, type SeenServer } from "./seen-registry.ts";
import type { ServerId } from "./registry-keys.ts";
import { refuse, type Result } from "./result.ts";
import type { Commit } from "./store-write.ts";

/** What an operator's wish comes to. A refusal says what to do instead. */
export type OperatorStep = Result<{
  /** One after the other; none = it is so already. The first must succeed, the others may find that things moved on. */
  readonly commits: readonly Commit[];
  /** What he should know, a sentence each. */
  readonly notes: readonly string[];
}>;

/** A server that an agent registered is the agent's alone: it would write it again, or fight about it. */
export function refuseAgents(id: ServerId, server: SeenServer, view: RegistryView): OperatorStep | null {
  const { by } = server;
  if (by.kind !== "host") return null;
  const name = nameOf(id, view);
  const container = by.container === null ? "" : ` (container ${by.container})`;
  return refuse(
    `${name} belongs to host ${by.host}'s agent${container}; use "rollcall drain ${name}", or stop the container`,
  );
}

/** The value of a key, fit for a sentence. */
export const shownValue = ({ value }: { value: string | null }): string =>
  value === null ? "a value that is no text" : quote(value.trim());

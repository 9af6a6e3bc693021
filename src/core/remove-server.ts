import { programNote } from "./add-server.ts";
import { type OperatorStep, refuseAgents } from "./operator-step.ts";
import { overrideText } from "./override.ts";
import { isSame, nameOf, overridingOf, type RegistryView, type SeenKey } from "./seen-registry.ts";
import { accept, refuse } from "./result.ts";
import { nothingCalled, parseServerName } from "./server-name.ts";
import type { Commit } from "./store-write.ts";

/**
 * Takes out a server that no agent registered, and then its override, which would lie in wait for the next server of
 * that name. In this order: a load balancer must not see the server without its override.
 * @param given.text its name, or what stands behind the prefix: a key whose name is refused can be removed as well.
 */
export function removeServer({ text, view }: { text: string; view: RegistryView }): OperatorStep {
  const named = view.servers.find(({ key }) => key === view.layout.prefix + text);
  const parsed = parseServerName(text, view.layout.defaultBackend);
  if (named?.id === null) return accept({ commits: [deletionOf([named])], notes: programNote(named) });
  if (!parsed.ok) return parsed;
  const id = parsed.value;
  const there = view.servers.filter((server) => isSame(server.id, id));
  for (const server of there) {
    const refusal = refuseAgents(id, server, view);
    if (refusal !== null) return refusal;
  }
  const overriding = overridingOf(id, view);
  const overrides = view.overrides.filter((override) => isSame(override.id, id));
  if (there.length === 0) {
    const left =
      overriding === null
        ? ""
        : `only the override ${overrideText(overriding)}, which "rollcall ready ${nameOf(id, view)}" removes`;
    return refuse(nothingCalled(id, view, left));
  }
  return accept({
    commits: [deletionOf(there), ...(overrides.length === 0 ? [] : [deletionOf(overrides)])],
    notes: there.flatMap(programNote),
  });
}

/** Deletes keys if they still are as they were seen. */
export const deletionOf = (keys: readonly SeenKey[]): Commit => ({
  expects: keys.map(({ key, modRevision }) => ({ key, modRevision })),
  writes: keys.map(({ key }) => ({ kind: "delete", key })),
});

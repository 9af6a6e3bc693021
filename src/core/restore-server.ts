import type { OperatorStep } from "./operator-step.ts";
import { overrideText } from "./override.ts";
import type { ServerId } from "./registry-keys.ts";
import { isSame, nameOf, overridingOf, type RegistryView } from "./seen-registry.ts";
import { deletionOf } from "./remove-server.ts";
import { accept, refuse } from "./result.ts";
import { nothingCalled } from "./server-name.ts";

/** Removes a server's override, so that it is as it was registered; says so where that is not ready. */
export function restoreServer({ id, view }: { id: ServerId; view: RegistryView }): OperatorStep {
  const there = view.overrides.filter((override) => isSame(override.id, id));
  const isKnown = view.servers.some((server) => isSame(server.id, id));
  const name = nameOf(id, view);
  const own = ownTrouble(id, view);
  if (there.length === 0) {
    if (!isKnown) return refuse(nothingCalled(id, view, "and no override"));
    return own === null
      ? accept({ commits: [], notes: [`${name} has no override, and is ready`] })
      : refuse(`${name} has no override; ${own}`);
  }
  const overriding = overridingOf(id, view);
  return accept({
    commits: [deletionOf(there)],
    notes: [
      ...(overriding === null ? [] : [`its override was ${overrideText(overriding)}`]),
      ...(isKnown ? [] : [`etcd has no server ${name}`]),
      ...(own === null ? [] : [own]),
    ],
  });
}

/** Why it does not serve even without an override; null = it does, as far as the store tells. */
function ownTrouble(id: ServerId, view: RegistryView): string | null {
  const seen = view.servers.find((one) => isSame(one.id, id));
  if (seen === undefined) return null;
  if (seen.server === null) return `it is refused and not served: ${seen.reason}`;
  const { state } = seen.server;
  if (state === "ready") return null;
  const says = `its own value says state=${state}`;
  return seen.by.kind === "host"
    ? `${says}: host ${seen.by.host}'s agent takes it out`
    : `${says}; "rollcall add ${nameOf(id, view)} HOST:PORT --replace" writes it anew`;
}

import type { OperatorStep } from "./operator-step.ts";
import { overrideText, type Overriding } from "./override.ts";
import { overrideKey, type ServerId } from "./registry-keys.ts";
import { isSame, nameOf, overridingOf, type RegistryView } from "./seen-registry.ts";
import { accept, refuse } from "./result.ts";
import { nothingCalled, similarServer } from "./server-name.ts";
import { ABSENT, NO_LEASE } from "./store-write.ts";

/**
 * Lays `change` over a server, beside what its override says already: a weight does not end a drain, nor a drain a
 * weight. A server that is not in the store may still be one that a load balancer finds elsewhere, unless its name
 * looks like a slip.
 */
export function overrideServer(given: {
  id: ServerId;
  change: Partial<Overriding>;
  /** Write it even if the name looks like a slip. */
  anyway: boolean;
  view: RegistryView;
}): OperatorStep {
  const { id, change, anyway, view } = given;
  const isKnown = view.servers.some((server) => isSame(server.id, id));
  if (!isKnown && !anyway && similarServer(id, view) !== undefined) {
    return refuse(
      `${nothingCalled(id, view)} For a container that only a load balancer sees, or a server of a static file: --anyway`,
    );
  }
  const before = overridingOf(id, view);
  const wanted = { state: null, weight: null, ...before, ...change };
  const value = overrideText(wanted);
  const key = overrideKey(id, view.layout);
  const there = view.overrides.filter((override) => isSame(override.id, id));
  const others = there.filter((override) => override.key !== key);
  const notes = notesOn({ ...given, isKnown, before, wanted });
  if (there.length === 1 && others.length === 0 && before !== null && overrideText(before) === value) {
    return accept({
      commits: [],
      notes: [`${nameOf(id, view)} has the override ${value} already`, ...notes],
    });
  }
  const now = there.find((override) => override.key === key);
  const commit = {
    expects: [{ key, modRevision: now?.modRevision ?? ABSENT }, ...others],
    writes: [
      { kind: "put" as const, key, value, lease: NO_LEASE },
      ...others.map((other) => ({ kind: "delete" as const, key: other.key })),
    ],
  };
  return accept({ commits: [commit], notes });
}

function notesOn(given: {
  id: ServerId;
  change: Partial<Overriding>;
  view: RegistryView;
  isKnown: boolean;
  before: Overriding | null;
  wanted: Overriding;
}): readonly string[] {
  const { id, change, view, isKnown, before, wanted } = given;
  const notes: string[] = [];
  const stays = {
    ...before,
    ...Object.fromEntries(Object.keys(change).map((name) => [name, null])),
  } as Overriding;
  const name = nameOf(id, view);
  if (before !== null && overrideText(stays) !== "") {
    notes.push(`its override ${overrideText(stays)} stays; "rollcall ready ${name}" removes all of it`);
  }
  if (!isKnown) {
    notes.push(
      `etcd has no server ${name}: the override holds for one that a load balancer finds over a Docker socket or in its static file`,
    );
  }
  for (const { id: ownId, reason } of view.servers) {
    if (isSame(ownId, id) && reason !== null) notes.push(`${name} is refused and not served: ${reason}`);
  }
  if (change.state !== undefined && wanted.state !== "ready" && isLast(id, view)) {
    notes.push(`no other server of backend ${id.backend} in etcd is ready`);
  }
  return notes;
}

/** Whether the store has no other server for new requests to this backend. */
function isLast(id: ServerId, view: RegistryView): boolean {
  return !view.servers.some(({ server }) => {
    if (server === null || server.backend !== id.backend || server.name === id.name) return false;
    return (overridingOf(server, view)?.state ?? server.state) === "ready";
  });
}

import { type OperatorStep, refuseAgents, shownValue } from "./operator-step.ts";
import { overrideText } from "./override.ts";
import { serverKey, type ServerId } from "./registry-keys.ts";
import { isSame, nameOf, overridingOf, type RegistryView, type SeenServer } from "./seen-registry.ts";
import { accept, refuse } from "./result.ts";
import { hostPort, type ServerFields } from "./server.ts";
import { ABSENT, NO_LEASE } from "./store-write.ts";
import { suggest } from "./suggest.ts";

/** Puts a server into the store that stays until somebody takes it out again. */
export function addServer(given: {
  id: ServerId;
  /** What is written, and what it means. */
  value: string;
  fields: ServerFields;
  /** An operator's own server may be written over. */
  replace: boolean;
  view: RegistryView;
}): OperatorStep {
  const { id, value, replace, view } = given;
  const there = view.servers.filter((server) => isSame(server.id, id));
  for (const server of there) {
    const refusal = refuseAgents(id, server, view);
    if (refusal !== null) return refusal;
  }
  const [first, ...others] = there;
  if (first !== undefined && !replace) {
    return refuse(`${nameOf(id, view)} is there already, as ${shownValue(first)}; --replace writes over it`);
  }
  const key = first?.key ?? serverKey(id, view.layout);
  return accept({
    commits: [
      {
        expects: [{ key, modRevision: first?.modRevision ?? ABSENT }, ...others],
        writes: [
          { kind: "put", key, value, lease: NO_LEASE },
          ...others.map((other) => ({ kind: "delete" as const, key: other.key })),
        ],
      },
    ],
    notes: [...doubts(given), ...there.flatMap(programNote)],
  });
}

/** What may not be as he thinks. */
function doubts({
  id,
  fields,
  view,
}: {
  id: ServerId;
  fields: ServerFields;
  view: RegistryView;
}): readonly string[] {
  const notes: string[] = [];
  const overriding = overridingOf(id, view);
  const name = nameOf(id, view);
  if (overriding !== null) {
    notes.push(`it has the override ${overrideText(overriding)}; "rollcall ready ${name}" removes it`);
  }
  const rest = view.servers.filter((one) => one.server !== null && !isSame(one.id, id));
  const twin = rest.find(
    ({ server }) => server?.backend === id.backend && hostPort(server) === hostPort(fields),
  );
  if (twin?.id != null) notes.push(`${nameOf(twin.id, view)} has the same address`);
  const backends = rest.flatMap(({ server }) => server?.backend ?? []);
  const isNew = id.backend !== view.layout.defaultBackend && !backends.includes(id.backend);
  const meant = isNew ? suggest(id.backend, [view.layout.defaultBackend, ...backends]) : undefined;
  if (meant !== undefined)
    notes.push(`backend ${id.backend} is new; if you meant ${meant}, "rollcall rm ${name}"`);
  return notes;
}

/** A key with a lease is kept by a program, which may not know that it is gone. */
export const programNote = ({ by }: SeenServer): readonly string[] =>
  by.kind === "program" ? ["its key had a lease: the program that wrote it may write it again"] : [];

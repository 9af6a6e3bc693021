import type { Change } from "../core/decision.ts";
import { hostKey } from "../core/registry-keys.ts";
import { ABSENT } from "../core/store-write.ts";
import type { Publishing } from "./publishing.ts";
import { writeChanges } from "./write-changes.ts";

const MAX_SHOWN = 20;

/** Writes changes; where something else stood in the way, waits until the copy shows it. */
export async function writeDecision(changes: readonly Change[], publishing: Publishing): Promise<void> {
  const { session, memory, copy, ended } = publishing;
  const { layout, host, log } = memory.options;
  const before = copy.moves;
  const isWritten = await writeChanges({
    session,
    changes,
    holds: { key: hostKey(host, layout), modRevision: copy.host()?.modRevision ?? ABSENT },
    size: memory.size,
    onWritten: (written, revision) => {
      copy.wrote(
        written.flatMap(({ writes }) => writes),
        revision,
      );
      memory.count("transactions");
      log.info(summary(written), "registry changed");
    },
  });
  if (!isWritten) {
    memory.count("conflicts");
    await copy.moved(before, ended);
  }
  memory.changed.poke();
}

/** Names by what happened to them: `{ publish: ["web-1", "api/x-1"], remove: ["web-2"] }`. */
function summary(changes: readonly Change[]): Record<string, readonly string[]> {
  const byKind = Map.groupBy(changes, ({ kind }) => kind);
  return Object.fromEntries(
    [...byKind].map(([kind, some]) => {
      const names = some.slice(0, MAX_SHOWN).map(({ id }) => `${id.backend}/${id.name}`);
      return [kind, some.length > MAX_SHOWN ? [...names, `${some.length - MAX_SHOWN} more`] : names];
    }),
  );
}

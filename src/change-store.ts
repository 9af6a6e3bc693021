import { CommandError, type Context, EXIT } from "./commands/command.ts";
import type { OperatorStep } from "./core/operator-step.ts";
import type { KeyLayout } from "./core/registry-keys.ts";
import { registryView } from "./core/registry-view.ts";
import type { RegistryView } from "./core/seen-registry.ts";
import type { Commit, Write } from "./core/store-write.ts";
import { harmless } from "./lib/harmless.ts";
import { etcdOptions } from "./parts.ts";
import type { Store } from "./registration/store.ts";

/** Somebody else who writes the same keys at the same moment cannot do so more often than this in a row. */
const ATTEMPTS = 10;

/** One thing that was done, for people and programs. */
interface Done {
  readonly writes: readonly {
    readonly key: string;
    readonly value: string | null;
    readonly revision: string;
  }[];
  readonly notes: readonly string[];
}

/**
 * Reads the store and writes what `decide` makes of it, on condition that nobody changed it meanwhile; else all over
 * again. Prints what was written.
 * @throws CommandError when it is refused. SourceError when etcd cannot be asked.
 */
export async function changeStore(
  context: Context,
  decide: (view: RegistryView) => OperatorStep,
): Promise<number> {
  using store = await openConfigured(context);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const step = decide(await viewOf(store, context));
    if (!step.ok) throw new CommandError(step.reason, EXIT.failed);
    const done = await make(step.value, store);
    if (done === null) continue;
    context.print(context.flags.has("json") ? JSON.stringify(done) : textOf(done));
    return EXIT.good;
  }
  throw new CommandError(
    "somebody else writes the same keys again and again; nothing was written",
    EXIT.failed,
  );
}

/** The store as it is now. */
export async function readStore(context: Context): Promise<RegistryView> {
  using store = await openConfigured(context);
  return await viewOf(store, context);
}

async function openConfigured(context: Context): Promise<Store> {
  const access = etcdOptions(context);
  if (access === null) {
    throw new CommandError(
      "etcd-endpoints is off, and this command is about the servers in etcd; set it to etcd's address",
      EXIT.config,
    );
  }
  const { openStore } = await import("./registration/store.ts");
  return openStore({ access, layout: layoutOf(context), signal: context.signal });
}

const layoutOf = ({ config }: Context): KeyLayout => ({
  prefix: config["etcd-prefix"],
  overridesPrefix: config["etcd-overrides-prefix"],
  ownersPrefix: config["etcd-owners-prefix"],
  defaultBackend: config["default-backend"],
});

async function viewOf(store: Store, context: Context): Promise<RegistryView> {
  const { entries, revision } = await store.read();
  return registryView(entries, { layout: layoutOf(context), revision });
}

/** @returns null = the store is no longer as it was read, and nothing was written. */
async function make(
  { commits, notes }: { commits: readonly Commit[]; notes: readonly string[] },
  store: Store,
): Promise<Done | null> {
  const writes: Done["writes"][number][] = [];
  const said = [...notes];
  for (const [at, commit] of commits.entries()) {
    const revision = await store.commit(commit);
    if (revision === null && at === 0) return null;
    if (revision === null) {
      said.push(`${commit.writes.map(({ key }) => key).join(", ")} was changed meanwhile, and stays`);
    } else
      writes.push(...commit.writes.map((write) => ({ key: write.key, value: valueOf(write), revision })));
  }
  return { writes, notes: said };
}

const valueOf = (write: Write): string | null => (write.kind === "put" ? write.value : null);

const textOf = ({ writes, notes }: Done): string =>
  [
    ...writes.map(({ key, value, revision }) =>
      value === null ? `deleted ${key} (revision ${revision})` : `${key} = ${value} (revision ${revision})`,
    ),
    ...notes.map((note) => (writes.length === 0 ? note : `note: ${note}`)),
  ]
    .map(harmless)
    .join("\n");

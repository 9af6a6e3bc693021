import type { Abilities } from "./abilities.ts";
import { reloadIsCheaper } from "./cost.ts";
import { type ConfigSection, countServers } from "./haproxy-config.ts";
import type { Operation } from "./operation.ts";
import { planServers, type SectionPlan } from "./plan-servers.ts";
import { describeServers, serverChanges, type ServerChanges } from "./server-changes.ts";
import type { ServerParameters } from "./server-parameters.ts";
import type { Stamped } from "./stamp.ts";
import { byTitle, type Reason, structuralChanges } from "./structure.ts";

/** How to get from what runs to the candidate. */
export type Plan =
  | { readonly kind: "noop" }
  /** In the order in which they are carried out; none at all when only comments or spaces changed. */
  | { readonly kind: "runtime"; readonly operations: readonly Operation[] }
  | { readonly kind: "reload"; readonly reasons: readonly Reason[] };

/** What a plan is made from. */
export interface PlanInput {
  /** The text that HAProxy is proven to run; null = not known. */
  readonly applied: Stamped | null;
  readonly candidate: Stamped;
  /** What the running HAProxy can be told; null = nothing: every change is a reload. */
  readonly abilities: Abilities | null;
  /** Servers that were removed and still have sessions, by `backend/server`, as they were; null = not known. */
  readonly leaving: ReadonlyMap<string, ServerParameters | null>;
  /** Whether a new server waits for its first good check. */
  readonly admitChecked: boolean;
}

/** No more reasons than an operator reads. */
const MAX_REASONS = 20;
const UNKNOWN: Reason = { section: "", line: 0, what: "what HAProxy runs is not known" };

/**
 * Compares the texts section by section. Where they differ in `server` lines only, and the running HAProxy can be told
 * each difference, no reload is needed; reasons name what else there is.
 */
export function plan(input: PlanInput): Plan {
  const { applied, candidate } = input;
  if (applied?.text === candidate.text) return { kind: "noop" };
  if (applied === null) return { kind: "reload", reasons: [UNKNOWN] };
  const isSame = applied.revision !== null && applied.revision === candidate.revision;
  const structural = isSame ? [] : structuralChanges(applied.sections, candidate.sections);
  const pairs = changedServers(applied.sections, candidate.sections);
  if (structural.length > 0) return reload([...structural, ...pairs.flatMap(named)]);
  const plans = pairs.map((pair) => planServers(pair, input));
  const obstacles = plans.flatMap(({ reasons }) => reasons);
  if (obstacles.length > 0) return reload(obstacles);
  const operations = ordered(plans);
  const servers = countServers(candidate.sections);
  if (reloadIsCheaper({ operations: operations.length, servers, abilities: input.abilities }))
    return reload([
      { section: "", line: 0, what: `${operations.length} changes at once: one reload is cheaper` },
    ]);
  return { kind: "runtime", operations };
}

const reload = (reasons: readonly Reason[]): Plan => ({
  kind: "reload",
  reasons: reasons.slice(0, MAX_REASONS),
});

/** A section in both texts, with what became of its servers. */
export interface SectionPair {
  readonly title: string;
  readonly section: ConfigSection;
  readonly changes: ServerChanges;
}

function changedServers(
  before: readonly ConfigSection[],
  after: readonly ConfigSection[],
): readonly SectionPair[] {
  const old = byTitle(before);
  return [...byTitle(after)].flatMap(([title, section]) => {
    const was = old.get(title);
    if (was === undefined) return [];
    const changes = serverChanges(was, section);
    const isChanged = describeServers(changes) !== "";
    return isChanged ? [{ title, section, changes }] : [];
  });
}

function named({ title, section, changes }: SectionPair): readonly Reason[] {
  const line = section.number + (section.servers[0]?.offset ?? 0);
  return [{ section: title, line, what: describeServers(changes) }];
}

const ORDER: readonly Operation["kind"][] = [
  "add",
  "address",
  "weight",
  "maxconn",
  "state",
  "health",
  "remove",
];

/** What adds capacity first, what takes it away last: no backend is left without servers in between. */
function ordered(plans: readonly SectionPlan[]): readonly Operation[] {
  const all = plans.flatMap(({ operations }) => operations);
  return ORDER.flatMap((kind) => all.filter((operation) => operation.kind === kind));
}

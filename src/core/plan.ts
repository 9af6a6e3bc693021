import { reloadIsCheaper } from "./cost.ts";
import { type ConfigSection, countServers } from "./haproxy-config.ts";
import type { Operation } from "./operation.ts";
import { planServers, type SectionPlan, type ServerPlanInput } from "./plan-servers.ts";
import { describeServers, type SectionPair, serverChanges } from "./server-changes.ts";
import type { Stamped } from "./stamp.ts";
import { byTitle, type Reason, structuralChanges } from "./structure.ts";

/** How to get from what runs to the candidate. */
export type Plan =
  | { readonly kind: "noop" }
  /** In the order in which they are carried out; none at all when only comments or spaces changed. */
  | { readonly kind: "runtime"; readonly operations: readonly Operation[] }
  | { readonly kind: "reload"; readonly reasons: readonly Reason[] };

/** What a plan is made from. */
export interface PlanInput extends ServerPlanInput {
  /** The text that HAProxy is proven to run; null = not known. */
  readonly applied: Stamped | null;
  readonly candidate: Stamped;
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

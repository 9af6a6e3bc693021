import { doubtText } from "../core/agent-status.ts";
import type { Decision } from "../core/decision.ts";
import type { RegistrarMemory } from "./registrar-memory.ts";

/** Logs what became of names that were not free, once for each. */
export function tellDecision({ doubts }: Decision, memory: RegistrarMemory): void {
  const texts = new Set(doubts.map(doubtText));
  for (const text of texts)
    if (!memory.told.has(text)) memory.options.log.warn({ reason: text }, "name is taken");
  memory.told = texts;
}

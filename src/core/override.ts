import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { parseWeight } from "./server-fields.ts";
import { parseServerKey } from "./server-key.ts";
import { parseState } from "./server-words.ts";
import type { Origin } from "./server.ts";
import type { Override } from "./snapshot.ts";

const WEIGHT = "weight=";

/** What an override says; null = nothing about that. */
export type Overriding = Pick<Override, "state" | "weight">;

/**
 * An operator's hand on a server under PREFIX`NAME` or PREFIX`BACKEND/NAME`: `drain`, `maint` or `ready`, `weight=N`, or
 * one of each.
 */
export function parseOverride(options: {
  key: string;
  value: string;
  prefix: string;
  defaultBackend: string;
  origin: Origin;
}): Result<Override> {
  const target = parseServerKey(options);
  if (!target.ok) return target;
  const overriding = parseOverriding(options.value);
  if (!overriding.ok) return overriding;
  return accept({ ...target.value, ...overriding.value, origin: options.origin });
}

/** The value of an override: `drain`, `weight=5`, `drain weight=5`. */
export const overrideText = ({ state, weight }: Overriding): string =>
  [state, weight === null ? null : `${WEIGHT}${weight}`].filter((word) => word !== null).join(" ");

function parseOverriding(value: string): Result<Overriding> {
  const text = value.trim();
  let [state, weight]: [Overriding["state"], Overriding["weight"]] = [null, null];
  for (const word of text.split(/ +/)) {
    if (word.startsWith(WEIGHT)) {
      const parsed = parseWeight(word.slice(WEIGHT.length));
      if (!parsed.ok) return refuse(`weight: ${parsed.reason}`);
      if (weight !== null) return refuse(`override ${quote(text)} has two weights`);
      weight = parsed.value;
      continue;
    }
    const parsed = parseState(word);
    if (!parsed.ok) return refuse(`override ${quote(text)} is none of drain, maint, ready, weight=N`);
    if (state !== null) return refuse(`override ${quote(text)} has two states`);
    state = parsed.value;
  }
  return accept({ state, weight });
}

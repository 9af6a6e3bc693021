import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { parseWeight } from "./server-fields.ts";
import { parseServerKey } from "./server-key.ts";
import { parseState } from "./server-words.ts";
import type { Origin } from "./server.ts";
import type { Override } from "./snapshot.ts";

const WEIGHT = "weight=";

/** An operator's hand on a server: `drain`, `maint`, `ready` or `weight=N` under PREFIX`NAME` or PREFIX`BACKEND/NAME`. */
export function parseOverride(options: {
  key: string;
  value: string;
  prefix: string;
  defaultBackend: string;
  origin: Origin;
}): Result<Override> {
  const { origin } = options;
  const target = parseServerKey(options);
  if (!target.ok) return target;
  const text = options.value.trim();
  if (text.startsWith(WEIGHT)) {
    const weight = parseWeight(text.slice(WEIGHT.length));
    if (!weight.ok) return refuse(`weight: ${weight.reason}`);
    return accept({ ...target.value, state: null, weight: weight.value, origin });
  }
  const state = parseState(text);
  if (!state.ok) return refuse(`override ${quote(text)} is none of drain, maint, ready, weight=N`);
  return accept({ ...target.value, state: state.value, weight: null, origin });
}

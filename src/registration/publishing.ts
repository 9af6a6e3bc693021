import type { Connection } from "./keep-connected.ts";
import type { RegistrarMemory } from "./registrar-memory.ts";
import type { LiveCopy } from "./registry-copy.ts";

/** A connection in use. */
export interface Publishing extends Connection {
  readonly memory: RegistrarMemory;
  readonly copy: LiveCopy;
}

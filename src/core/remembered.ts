import { parseName } from "./names.ts";
import { parseServerValue } from "./server-value.ts";
import { serverText } from "./server-text.ts";
import { type Server, serverOf } from "./server.ts";
import { snapshot, type Snapshot } from "./snapshot.ts";

/** A picture as it is kept on a disk; only what is served, and who says so. */
export interface RememberedSnapshot {
  readonly source: string;
  readonly revision: string;
  readonly servers: readonly RememberedServer[];
}

/** `[backend, name, value, id, revision, suffix]`; the value is that of a key in the registry. */
type RememberedServer = readonly [string, string, string, string, string, string];

/** A server whose labels say more than a key's value may hold is not remembered. */
export function rememberSnapshot({ source, revision, servers }: Snapshot): RememberedSnapshot {
  return { source, revision, servers: servers.flatMap(rememberServer) };
}

function rememberServer(server: Server): readonly RememberedServer[] {
  const value = serverText(server);
  const { backend, name, origin, suffix } = server;
  return value.ok ? [[backend, name, value.value, origin.id, origin.revision, suffix]] : [];
}

/**
 * Reads it again, by the same rules as any input.
 * @returns null when it is something else.
 */
export function recallSnapshot(value: unknown): Snapshot | null {
  if (!isRecord(value)) return null;
  const { source, revision, servers } = value;
  if (typeof source !== "string" || typeof revision !== "string" || !Array.isArray(servers)) return null;
  const read = servers.map((one) => recallServer(one, source));
  if (read.includes(null)) return null;
  return snapshot({ source, revision, servers: read.filter((one) => one !== null) });
}

function recallServer(value: unknown, source: string): Server | null {
  const isWhole = Array.isArray(value) && value.length === 6 && value.every((one) => typeof one === "string");
  if (!isWhole) return null;
  const [backendText = "", nameText = "", text = "", id = "", revision = "", suffix = ""] = value;
  const [backend, name, fields] = [
    parseName("backend", backendText),
    parseName("server name", nameText),
    parseServerValue(text),
  ];
  if (!backend.ok || !name.ok || !fields.ok || !parseName("suffix", suffix).ok) return null;
  const origin = { source, id, revision };
  return serverOf(fields.value, { backend: backend.value, name: name.value, origin, suffix });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

import { quote } from "./address.ts";
import { parseName } from "./names.ts";
import { accept, refuse, type Result } from "./result.ts";

/**
 * Which server a key is about: PREFIX`NAME` (a server of the default backend) or PREFIX`BACKEND/NAME`.
 * `prefix` ends with a slash, and `key` begins with it.
 */
export function parseServerKey(options: {
  key: string;
  prefix: string;
  defaultBackend: string;
}): Result<{ backend: string; name: string }> {
  const { key, prefix } = options;
  const form = `write ${prefix}NAME or ${prefix}BACKEND/NAME`;
  if (!key.startsWith(prefix)) return refuse(`key ${quote(key)} is outside of ${prefix}`);
  const parts = key.slice(prefix.length).split("/");
  const nameText = parts.at(-1) ?? "";
  if (parts.length > 2) return refuse(`key ${quote(key)} is too deep: ${form}`);
  if (nameText === "") return refuse(`key ${quote(key)} has no server name: ${form}`);
  const name = parseName("server name", nameText);
  if (!name.ok) return name;
  const backend = parts.length === 1 ? accept(options.defaultBackend) : parseName("backend", parts[0] ?? "");
  return backend.ok ? accept({ backend: backend.value, name: name.value }) : backend;
}

import { quote } from "./address.ts";
import { parseName } from "./names.ts";
import type { ServerId } from "./registry-keys.ts";
import { nameOf, type RegistryView } from "./seen-registry.ts";
import { accept, refuse, type Result } from "./result.ts";
import { suggest } from "./suggest.ts";

/** A server as an operator names it: `NAME` in the default backend, or `BACKEND/NAME`. */
export function parseServerName(text: string, defaultBackend: string): Result<ServerId> {
  const parts = text.split("/");
  if (parts.length > 2 || parts.includes("")) {
    return refuse(`${quote(text)} is not NAME or BACKEND/NAME, as "rollcall ls" shows them`);
  }
  const name = parseName("server name", parts.at(-1) ?? "");
  if (!name.ok) return name;
  const backend = parseName("backend", parts.length === 1 ? defaultBackend : (parts[0] ?? ""));
  return backend.ok ? accept({ backend: backend.value, name: name.value }) : backend;
}

/** A server of the store that was probably meant: of the same name elsewhere, or of a similar one. */
export function similarServer(id: ServerId, view: RegistryView): string | undefined {
  const ids = view.servers.flatMap((server) => server.id ?? []);
  const namesake = ids.find(({ backend, name }) => name === id.name && backend !== id.backend);
  if (namesake !== undefined) return nameOf(namesake, view);
  const neighbours = ids.filter(({ backend }) => backend === id.backend).map(({ name }) => name);
  const neighbour = suggest(id.name, neighbours);
  if (neighbour !== undefined) return nameOf({ backend: id.backend, name: neighbour }, view);
  return suggest(
    nameOf(id, view),
    ids.map((one) => nameOf(one, view)),
  );
}

/**
 * `no server wbe1 in etcd; did you mean web1?`
 * @param more what else there is to say of it, for brackets.
 */
export function nothingCalled(id: ServerId, view: RegistryView, more = ""): string {
  const meant = similarServer(id, view);
  const hint = meant === undefined ? '"rollcall ls" shows what there is' : `did you mean ${meant}?`;
  return `no server ${nameOf(id, view)} in etcd${more === "" ? "" : ` (${more})`}; ${hint}`;
}

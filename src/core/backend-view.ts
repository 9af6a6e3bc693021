import { accept, refuse, type Result } from "./result.ts";
import type { RegistryView, SeenKey } from "./seen-registry.ts";
import { suggest } from "./suggest.ts";

/** What belongs to one backend; refused when there is nothing. The default backend always exists. */
export function backendView(view: RegistryView, backend: string): Result<RegistryView> {
  const { prefix, overridesPrefix, defaultBackend } = view.layout;
  const isOf = ({ id, key }: SeenKey): boolean =>
    id === null
      ? [prefix, overridesPrefix].some((one) => key.startsWith(`${one}${backend}/`))
      : id.backend === backend;
  const [servers, overrides] = [view.servers.filter(isOf), view.overrides.filter(isOf)];
  if (servers.length + overrides.length > 0 || backend === defaultBackend) {
    return accept({ ...view, servers, overrides, hosts: [] });
  }
  const known = view.servers.flatMap(({ id }) => id?.backend ?? []);
  const meant = suggest(backend, [defaultBackend, ...known]);
  return refuse(
    `no server of backend ${backend} in etcd${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

import { overridingOf, type RegistryView } from "../core/seen-registry.ts";
import { hostPort } from "../core/server.ts";
import { unusedOverrides } from "./registry-text.ts";

/** The store for programs. Names of fields are promises: add, do not rename. */
export function registryJson(view: RegistryView): unknown {
  const { revision, servers, overrides, hosts } = view;
  return {
    revision,
    servers: servers.flatMap(({ key, value, server, by, modRevision }) => {
      if (server === null) return [];
      const overriding = overridingOf(server, view);
      return {
        backend: server.backend,
        name: server.name,
        key,
        value,
        address: hostPort(server),
        state: overriding?.state ?? server.state,
        weight: overriding?.weight ?? server.weight,
        own: { state: server.state, weight: server.weight },
        override: overriding,
        registeredBy: by,
        revision: modRevision,
      };
    }),
    quarantined: [...servers, ...overrides].flatMap(({ key, value, reason }) =>
      reason === null ? [] : { key, value, reason },
    ),
    unusedOverrides: unusedOverrides(view).map(({ id, key, overriding }) => ({
      ...id,
      key,
      override: overriding,
    })),
    hosts,
  };
}

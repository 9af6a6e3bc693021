import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { fitName } from "./core/names.ts";
import type { KeyLayout } from "./core/registry-keys.ts";
import type { Snapshot } from "./core/snapshot.ts";
import type { Config } from "./options.ts";
import { etcdOptions, type PartsOptions, rollcallVersion } from "./parts.ts";
import type { RegistrarOptions } from "./registration/registrar.ts";

/** Where the store has what. */
export const keyLayout = (config: Config): KeyLayout => ({
  prefix: config["etcd-prefix"],
  overridesPrefix: config["etcd-overrides-prefix"],
  ownersPrefix: config["etcd-owners-prefix"],
  defaultBackend: config["default-backend"],
});

/** The name of this host in the store. */
export const agentHost = (config: Config): string => config["host-name"] ?? fitName(hostname()) ?? "host";

/** @throws Error when etcd is off. */
export function registrarOptions(options: PartsOptions): RegistrarOptions {
  const access = etcdOptions(options);
  if (access === null) {
    throw new Error("etcd-endpoints is off, so there is nothing to register in: name etcd's members");
  }
  const { config, log } = options;
  return {
    access,
    layout: keyLayout(config),
    host: agentHost(config),
    agent: randomUUID(),
    version: rollcallVersion(),
    leaseTtlS: config["lease-ttl"] / 1000,
    onExit: config["on-exit"],
    log,
    now: Date.now,
  };
}

/** Short ids of all containers that a picture tells of. */
export function containersOf({ servers, waiting, quarantined }: Snapshot): ReadonlySet<string> {
  return new Set([...servers, ...waiting, ...quarantined].map(({ origin }) => origin.id.slice(0, 12)));
}

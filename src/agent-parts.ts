import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { quote } from "./core/address.ts";
import { fitName } from "./core/names.ts";
import type { KeyLayout } from "./core/registry-keys.ts";
import type { Snapshot } from "./core/snapshot.ts";
import type { Config } from "./options.ts";
import { etcdOptions, type PartsOptions, rollcallVersion } from "./parts.ts";
import type { RegistrarOptions } from "./registration/registrar-options.ts";

/** Where the store has what. */
export const keyLayout = (config: Config): KeyLayout => ({
  prefix: config["etcd-prefix"],
  overridesPrefix: config["etcd-overrides-prefix"],
  ownersPrefix: config["etcd-owners-prefix"],
  defaultBackend: config["default-backend"],
});

/** Names that many machines have. */
const NO_NAMES = new Set(["localhost", "localhost.localdomain"]);

/**
 * The name of this host in the store.
 * @throws Error when it has none that is its own and lasts: the engine calls each new container otherwise.
 */
export function agentHost(config: Config): string {
  const given = config["host-name"];
  if (given !== null) return given;
  const own = hostname();
  const name = fitName(own);
  if (name !== null && !NO_NAMES.has(name) && !isContainerId(own)) return name;
  const why = isContainerId(own)
    ? `${own} is the name of the agent's container, and the next one will have another`
    : `${quote(own)} tells no host from another`;
  throw new Error(`this host needs a name: ${why}: set host-name`);
}

const isContainerId = (text: string): boolean =>
  /^[0-9a-f]{12}$/.test(text) && (existsSync("/.dockerenv") || existsSync("/run/.containerenv"));

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

import type { Abilities } from "./abilities.ts";
import { parseHost } from "./address.ts";
import type { ConfigSection } from "./haproxy-config.ts";
import { obstacles } from "./obstacles.ts";
import { keyOf, type Operation } from "./operation.ts";
import { add } from "./plan-servers.ts";
import { proxySettings } from "./proxy-settings.ts";
import { accept, refuse, type Result } from "./result.ts";
import type { WantedServer, WantedServers } from "./wanted-servers.ts";

/** A server as HAProxy has it at this moment (`show servers state`, management guide 9.3). */
export interface RunningServer {
  readonly backend: string;
  readonly name: string;
  /** IP literal, `-` for a server without a resolved address. */
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** In maintenance because it was told to be, over the socket or by its line. */
  readonly isMaint: boolean;
  /** Draining because it was told to over the socket. */
  readonly isDraining: boolean;
  /** Its check is not switched off. */
  readonly isChecked: boolean;
}

/** One thing in which what runs is not what is wanted. */
export interface Difference {
  /** In words: `it lacks server web/a`. */
  readonly what: string;
  readonly kind: "missing" | "extra" | "address" | "weight" | "state" | "check";
  readonly backend: string;
  readonly server: string;
}

/** @param leaving servers that were removed, and stay in maintenance until their last session ends. */
export function differences(
  wanted: WantedServers,
  running: readonly RunningServer[],
  leaving: { has(key: string): boolean },
): readonly Difference[] {
  const found: Difference[] = [];
  const seen = new Set<string>();
  for (const server of running) {
    if (!wanted.backends.has(server.backend)) continue;
    const name = { backend: server.backend, server: server.name };
    const key = keyOf(name);
    const want = wanted.servers.get(key);
    seen.add(key);
    if (want !== undefined) found.push(...compare(want, server));
    else if (!(server.isMaint && leaving.has(key)))
      found.push({ ...name, kind: "extra", what: `it has server ${key}, which is not wanted` });
  }
  for (const [key, { backend, server }] of wanted.servers)
    if (!seen.has(key)) found.push({ backend, server, kind: "missing", what: `it lacks server ${key}` });
  return found;
}

function compare(want: WantedServer, running: RunningServer): readonly Difference[] {
  const { backend, server, address, port, parameters, disabled } = want;
  const found: Difference[] = [];
  const differs = (kind: Difference["kind"], what: string): void => {
    found.push({ backend, server, kind, what: `server ${keyOf(want)} ${what}` });
  };
  const canonical = parseHost(running.address);
  const place = `${canonical.ok ? canonical.value : running.address} ${running.port}`;
  if (address !== null && place !== `${address} ${port}`)
    differs("address", `is ${place}, not ${address} ${port}`);
  if (parameters === null || parameters.hasAgent) return found;
  if (running.weight !== parameters.weight)
    differs("weight", `has weight ${running.weight}, not ${parameters.weight}`);
  if (running.isMaint !== disabled)
    differs("state", disabled ? "is not in maintenance" : "is in maintenance, and should not be");
  else if (running.isDraining && !disabled) differs("state", "drains, and should not");
  if (parameters.checked && !disabled && !running.isChecked) differs("check", "is not checked");
  return found;
}

/** What makes HAProxy run what is wanted again, without a reload. */
export function repair(
  found: readonly Difference[],
  given: { sections: readonly ConfigSection[]; wanted: WantedServers; abilities: Abilities },
): Result<readonly Operation[]> {
  const { sections, wanted, abilities } = given;
  const operations: Operation[] = [];
  for (const { backend, server, kind } of found) {
    const name = { backend, server };
    if (kind === "extra") {
      operations.push({ ...name, kind: "remove" });
      continue;
    }
    const want = wanted.servers.get(keyOf(name));
    const section = sections.find(
      (one) => one.name === backend && (one.keyword === "backend" || one.keyword === "listen"),
    );
    const line = section?.servers.find((one) => one.name === server);
    if (
      want?.parameters === undefined ||
      want.parameters === null ||
      section === undefined ||
      line === undefined
    )
      return refuse("its line has words that are not known here");
    const { parameters } = want;
    if (kind === "missing") {
      const changes = { added: [line], removed: [], changed: [], isReordered: false };
      const [obstacle] = obstacles({ title: "", section, changes }, proxySettings(section, sections));
      if (obstacle !== undefined) return refuse(obstacle.what);
      const step = add(name, accept(parameters), { abilities, leaving: new Map(), admitChecked: false });
      if (!step.ok) return step;
      operations.push(...step.value);
    } else if (kind === "weight") {
      operations.push({ ...name, kind, weight: parameters.weight });
    } else if (kind === "check") {
      operations.push({ ...name, kind });
    } else if (kind === "state") {
      const { checked, disabled } = parameters;
      operations.push({ ...name, kind, state: disabled ? "maint" : "ready", checked });
    } else {
      const { address, port, checked } = parameters;
      if (address === null || !abilities.movesExactly) return refuse("its address was changed");
      operations.push({ ...name, kind: "address", address, port });
      if (checked) operations.push({ ...name, kind: "health", health: "up" });
    }
  }
  return accept(operations);
}

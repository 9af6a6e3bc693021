import { overrideText } from "../core/override.ts";
import {
  isSame,
  nameOf,
  overridingOf,
  type Registrar,
  type RegistryView,
  type SeenServer,
} from "../core/seen-registry.ts";
import { columns } from "../lib/columns.ts";
import { harmless } from "../lib/harmless.ts";
import { paragraph } from "./paragraph.ts";

/** A longer value is cut. */
const VALUE_WIDTH = 60;
const HEAD = ["SERVER", "VALUE", "STATE", "REGISTERED BY"];

/** The store for people: the servers first, then what needs a look, at the end the hosts that register. */
export function registryText(view: RegistryView): string {
  const blocks = [
    servers(view),
    block("quarantined: refused and not served", refusals(view)),
    block("overrides of servers that are not in etcd", idle(view)),
    block("hosts with an agent", hosts(view)),
  ];
  // Here alone, so that it cannot be forgotten: keys and values are anybody's.
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.map(harmless).join("\n"));
  return shown.join("\n\n");
}

/** Who put a server there, in words. */
export function registrarText(by: Registrar): string {
  if (by.kind === "program") return "another program, on a lease";
  if (by.kind === "operator") return "operator";
  return by.container === null ? `host ${by.host}` : `host ${by.host}, container ${by.container}`;
}

/** A server's state, and whether an override is the reason. */
export function stateText({ server, id }: SeenServer, view: RegistryView): string {
  const overriding = id === null ? null : overridingOf(id, view);
  if (overriding === null) return server?.state ?? "";
  const { state, weight } = overriding;
  const words = [state ?? server?.state, weight === null ? undefined : `weight ${weight}`];
  return `${words.filter((word) => word !== undefined).join(", ")} (override)`;
}

function servers(view: RegistryView): readonly string[] {
  const rows = view.servers
    .filter(({ server }) => server !== null)
    .map((seen) => [
      seen.id === null ? "" : nameOf(seen.id, view),
      cut(seen.value ?? ""),
      stateText(seen, view),
      registrarText(seen.by),
    ]);
  if (rows.length === 0) return [`no servers under ${view.layout.prefix}`];
  return columns([HEAD, ...rows]);
}

const refusals = ({ servers: all, overrides }: RegistryView): readonly string[] =>
  [...all, ...overrides].flatMap(({ key, reason }) =>
    reason === null ? [] : paragraph(`${key}: ${reason}`, 2),
  );

function idle(view: RegistryView): readonly string[] {
  const rows = unusedOverrides(view).map(({ id, overriding }) => [
    `  ${id === null ? "" : nameOf(id, view)}`,
    overriding === null ? "" : overrideText(overriding),
  ]);
  return columns(rows);
}

/** Overrides of servers that are not in the store: a load balancer may find them elsewhere. */
export const unusedOverrides = ({ overrides, servers: all }: RegistryView): RegistryView["overrides"] =>
  overrides.filter(({ id, overriding }) => {
    if (id === null || overriding === null) return false;
    return !all.some((server) => isSame(server.id, id));
  });

function hosts(view: RegistryView): readonly string[] {
  const rows = view.hosts.map(({ host, version }) => {
    const own = view.servers.filter(({ by }) => by.kind === "host" && by.host === host).length;
    return [`  ${host}`, `${own} ${own === 1 ? "server" : "servers"}`, `Rollcall ${version}`];
  });
  return columns(rows);
}

const block = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines];

const cut = (value: string): string => {
  const line = value.trim().replaceAll(/\s+/g, " ");
  return line.length > VALUE_WIDTH ? `${line.slice(0, VALUE_WIDTH)}…` : line;
};

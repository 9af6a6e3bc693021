import { parseHost, parsePort, quote } from "./address.ts";
import type { LabelName, ServerLabels } from "./container-labels.ts";
import { DEFAULT_DRAIN_MS } from "./container.ts";
import { parseDuration } from "./duration.ts";
import { parseName } from "./names.ts";
import { accept, refuse, type Result } from "./result.ts";
import * as parse from "./server-fields.ts";
import { parseState } from "./server-words.ts";
import type { Check, Route, ServerFields } from "./server.ts";

/** What the labels of one server ask for; null = they say nothing about it. */
export interface ServerWish {
  readonly backend: string | null;
  readonly name: string | null;
  readonly port: number | null;
  readonly network: string | null;
  /** A fixed address, or `host`: the port's publication on the host. */
  readonly address: string | null;
  readonly fields: Omit<ServerFields, "address" | "port">;
  /** Whether Docker's HEALTHCHECK must say healthy first. */
  readonly waitForHealth: boolean;
  readonly drainMs: number;
}

const MAX_HOSTS = 16;
const NETWORK = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** Whether a server is in at all. */
export function isEnabled(labels: ServerLabels, byDefault: boolean): Result<boolean> {
  const text = labels.get("enable");
  if (text === undefined) return accept(byDefault);
  const enabled = parse.parseBoolean(text);
  return enabled.ok ? enabled : refuse(`${labels.fullName("enable")}: ${enabled.reason}`);
}

/** Reads all other labels; the first that is wrong is the reason, with its name and its value. */
export function readWish(labels: ServerLabels): Result<ServerWish> {
  const reader = labelReader(labels);
  const { read } = reader;
  const meta = parse.parseMeta(labels.meta);
  if (!meta.ok) return refuse(`${labels.fullName("meta")}: ${meta.reason}`);
  const wish: ServerWish = {
    backend: read("backend", (text) => parseName("backend", text)),
    name: read("name", (text) => parseName("server name", text)),
    port: read("port", parsePort),
    network: read("network", parseNetwork),
    address: read("address", (text) => (text === "host" ? accept(text) : parseHost(text))),
    fields: {
      weight: read("weight", parse.parseWeight),
      backup: read("backup", parse.parseBoolean) ?? false,
      maxconn: read("maxconn", parse.parseMaxconn),
      state: read("state", parseState) ?? "ready",
      check: readCheck(read),
      tags: read("tags", parse.parseTags) ?? [],
      meta: meta.value,
      routes: readRoutes(read),
    },
    waitForHealth: read("health", parseHealth) ?? true,
    drainMs: read("drain", parseDrain) ?? DEFAULT_DRAIN_MS,
  };
  return reader.reason() === null ? accept(wish) : refuse(reader.reason() ?? "");
}

type Read = <T>(name: LabelName, parser: (text: string) => Result<T>) => T | null;

/** Reads one label after the other and remembers the first that is wrong. */
function labelReader(labels: ServerLabels): { read: Read; reason: () => string | null } {
  let reason: string | null = null;
  const read: Read = (name, parser) => {
    const text = labels.get(name);
    if (text === undefined) return null;
    const parsed = parser(text);
    if (parsed.ok) return parsed.value;
    reason ??= `${labels.fullName(name)}: ${parsed.reason}`;
    return null;
  };
  return { read, reason: () => reason };
}

function readCheck(read: Read): Check | false {
  const check = {
    path: read("check.path", parse.parseCheckPath),
    intervalMs: read("check.interval", parseDuration),
    rise: read("check.rise", parse.parseCount),
    fall: read("check.fall", parse.parseCount),
  };
  return read("check", parse.parseBoolean) === false ? false : check;
}

function readRoutes(read: Read): readonly Route[] {
  const hosts = read("host", parseRouteHosts);
  const path = read("path", parse.parseRoutePath);
  if (hosts !== null) return hosts.map((host) => ({ host, path }));
  return path === null ? [] : [{ host: null, path }];
}

/** One host name, or several with commas between them. */
function parseRouteHosts(text: string): Result<readonly string[]> {
  const hosts = new Set<string>();
  for (const part of text.split(",", MAX_HOSTS + 1)) {
    const host = parse.parseRouteHost(part.trim());
    if (!host.ok) return host;
    hosts.add(host.value);
  }
  return hosts.size > MAX_HOSTS ? refuse(`more than ${MAX_HOSTS} host names`) : accept([...hosts]);
}

function parseNetwork(text: string): Result<string> {
  return NETWORK.test(text) ? accept(text) : refuse(`${quote(text)} is no name of a Docker network`);
}

/** `wait` → true, `ignore` → false. */
function parseHealth(text: string): Result<boolean> {
  if (text === "wait" || text === "ignore") return accept(text === "wait");
  return refuse(`${quote(text)} is neither wait nor ignore`);
}

/** A duration, or 0 for none. */
function parseDrain(text: string): Result<number> {
  return /^0(?:ms|s|m|h)?$/.test(text) ? accept(0) : parseDuration(text);
}

import type { ServerLine } from "./haproxy-config.ts";
import type { SectionPair } from "./server-changes.ts";
import type { ProxySettings } from "./proxy-settings.ts";

/** Why the changes of a section need a reload, and the server's line that it is about. */
export interface Obstacle {
  readonly line: ServerLine | undefined;
  readonly what: string;
}

/** What HAProxy takes as a name, on the socket as in the file. */
const NAME = /^[A-Za-z0-9_.:-]+$/;
/** Algorithms that take servers that come and go (management guide, `add server`). */
const DYNAMIC = new Set(["roundrobin", "leastconn", "first", "random"]);

/**
 * What stands against changing servers of this section while HAProxy runs: it would refuse, or run something else than
 * after a start from the file.
 */
export function obstacles(pair: SectionPair, settings: ProxySettings): readonly Obstacle[] {
  const { section, changes } = pair;
  const all = (what: string): readonly Obstacle[] => [{ line: section.servers[0], what }];
  if (settings.isConditional) return all("servers in or below a conditional block");
  if (settings.all("server-template").length > 0) return all("servers beside a server-template");
  // An added server's check would end the worker: the command of the check is only prepared at a start (2.6 to 3.2).
  if (settings.option("external-check")) return all("option external-check");
  if (settings.last("mode")?.[0] === "log") return all("mode log");
  if (settings.all("dynamic-cookie-key").length > 0) return all("dynamic-cookie-key");
  const touched = [...changes.added, ...changes.removed, ...changes.changed.map(({ after }) => after)];
  const odd = [section.name, ...touched.map(({ name }) => name)].find((name) => !NAME.test(name));
  if (odd !== undefined) return all(`the name ${JSON.stringify(odd)}`);
  return [...balanceObstacles(pair, settings), ...pinned(pair, settings), ...backups(pair, settings)];
}

function balanceObstacles({ section, changes }: SectionPair, settings: ProxySettings): readonly Obstacle[] {
  const [word = "roundrobin"] = settings.last("balance") ?? [];
  const algorithm = word.replace(/\(.*/, "");
  const hasNewOrder = changes.added.length > 0 || changes.isReordered;
  const line = changes.added[0] ?? section.servers[0];
  if (algorithm === "first" && hasNewOrder)
    return [{ line, what: "balance first takes servers in the order of the file" }];
  if (DYNAMIC.has(algorithm)) return [];
  const [hashType = "map-based"] = settings.last("hash-type") ?? [];
  if (algorithm === "static-rr" || hashType !== "consistent")
    return [{ line, what: `balance ${word} forbids dynamic servers` }];
  // HAProxy numbers servers in the order of the file, and gives a new one the lowest free number.
  return hasNewOrder || changes.removed.length > 0
    ? [{ line, what: "hash-type consistent places servers by their order in the file" }]
    : [];
}

/** Servers that other lines of the section name: HAProxy knows them from the start, and does not let them go. */
function pinned({ changes }: SectionPair, settings: ProxySettings): readonly Obstacle[] {
  const names = new Set(settings.all("use-server").map(({ words }) => words[1]));
  return [...changes.added, ...changes.removed]
    .filter(({ name }) => names.has(name))
    .map((line) => ({ line, what: `use-server names ${line.name}` }));
}

/** Without `option allbackups` the first backup in the file takes all the traffic, at runtime the oldest one. */
function backups({ section, changes }: SectionPair, settings: ProxySettings): readonly Obstacle[] {
  if (settings.option("allbackups")) return [];
  const isBackup = (one: ServerLine): boolean => settings.serverWords(one).words.includes("backup");
  const line = changes.added.find(isBackup);
  if (line === undefined && !changes.isReordered) return [];
  const count = section.servers.filter(isBackup).length;
  return count > 1 ? [{ line, what: "the order of backup servers decides which one is used" }] : [];
}

import { columns } from "../lib/columns.ts";
import { harmless } from "../lib/harmless.ts";
import { age } from "./age.ts";
import type { AgentStatusJson } from "./agent-status-json.ts";
import { paragraph } from "./paragraph.ts";

/** So many entries of a kind are shown. */
const MANY = 20;

/** An agent's status for people: first whether all is well, then what there is. */
export function agentStatusText(
  status: AgentStatusJson,
  options: { url: string; everyServer: boolean },
): string {
  const blocks = [
    verdict(status),
    overview(status, options.url),
    block("servers of this host", servers(status, options.everyServer)),
    block("quarantined: refused and not registered", entries(status.quarantined)),
    block("waiting: registered once they are ready", entries(status.waiting)),
    block("warnings: registered, but look", entries(status.warnings)),
  ];
  // Here alone, so that it cannot be forgotten: much of it may have come from labels and from other programs.
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.map(harmless).join("\n"));
  return shown.join("\n\n");
}

/** The same words as `/readyz`. */
function verdict({ ready, reasons, notes }: AgentStatusJson): readonly string[] {
  const sentences = [...reasons, ...notes.map((note) => `note: ${note}`)];
  return [ready ? "ready" : "not ready", ...sentences.flatMap((one) => paragraph(one, 2))];
}

function overview(status: AgentStatusJson, url: string): readonly string[] {
  const { version, now, startedAt, host, address, registration, docker } = status;
  const since = (then: string): string => age(Date.parse(now) - Date.parse(then));
  const { state, since: sinceTime, endpoint, lease, refreshedAt, wanted, registered } = registration;
  const refreshed = refreshedAt === null ? "" : `, refreshed ${since(refreshedAt)} ago`;
  return columns([
    ["Rollcall", `${version}, agent at ${url}, up for ${since(startedAt)}`],
    ["host", address === null ? host : `${host}, reached at ${address}`],
    ["etcd", `${state} for ${since(sinceTime)}${endpoint === null ? "" : `, by ${endpoint}`}`],
    ["lease", lease === null ? "none" : `${lease}${refreshed}`],
    ["registered", wanted === null ? "not known yet" : `${registered} of ${wanted} servers`],
    ["Docker", `${docker.state} for ${since(docker.since)}`],
  ]);
}

function servers({ servers: all }: AgentStatusJson, everyServer: boolean): readonly string[] {
  const few = everyServer ? all : all.slice(0, MANY);
  const rows = columns(few.map(({ backend, name, state, origin }) => [`${backend}/${name}`, state, origin]));
  const more = all.length - few.length;
  return [
    ...rows.map((row) => `  ${row}`),
    ...(more > 0 ? [`  and ${more} more (--servers shows them)`] : []),
  ];
}

function entries(all: AgentStatusJson["quarantined"]): readonly string[] {
  const lines = all.slice(0, MANY).flatMap(({ origin, reason }) => paragraph(`${origin}: ${reason}`, 2));
  return all.length > MANY ? [...lines, `  and ${all.length - MANY} more (--json has them)`] : lines;
}

const block = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines];

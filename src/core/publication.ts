import { extendName } from "./container-name.ts";
import { hostedName } from "./published-name.ts";
import { compareText } from "./compare-text.ts";
import { serverText } from "./server-text.ts";
import type { Server } from "./server.ts";
import type { Refusal, Snapshot } from "./snapshot.ts";

/** A server of this host, as it is to stand in the registry. */
export interface Publication {
  /** Tells it from all others of the host, and stays as long as its container does: `3f2a00000000 webserver/web-1`. */
  readonly id: string;
  /** The first twelve digits of the container's id. */
  readonly container: string;
  readonly backend: string;
  /** The name it asks for; another one may hold it. */
  readonly name: string;
  readonly value: string;
  /** Whether `value` asks for no new connections. */
  readonly drained: boolean;
}

/**
 * What a host publishes of the picture that its Docker source made, sorted by id; no two have the same name in one
 * backend.
 */
export function publications(
  { servers }: Pick<Snapshot, "servers">,
  options: { /** A valid name. */ readonly host: string; readonly serverNames: "service" | "host" },
): { readonly publications: readonly Publication[]; readonly refusals: readonly Refusal[] } {
  const { host, serverNames } = options;
  const made: Publication[] = [];
  const refusals: Refusal[] = [];
  const used = new Set<string>();
  const sorted = servers
    .map((server) => ({ server, id: `${containerOf(server)} ${server.backend}/${server.name}` }))
    .toSorted((a, b) => compareText(a.id, b.id));
  for (const { server, id } of sorted) {
    const { backend, origin } = server;
    const refuse = (reason: string): void => void refusals.push({ origin, reason });
    const container = containerOf(server);
    const wanted = serverNames === "host" ? hostedName(host, server.name) : server.name;
    // Names that differ may be the same when they are cut.
    const names = [wanted, extendName(wanted, container.slice(0, 6))];
    const name = names.find((one) => !used.has(`${backend}/${one}`));
    const value = serverText(server);
    if (!value.ok) refuse(value.reason);
    else if (name === undefined) refuse(`names ${names.join(" and ")} in backend ${backend} are taken`);
    else {
      used.add(`${backend}/${name}`);
      made.push({ id, container, backend, name, value: value.value, drained: server.state !== "ready" });
    }
  }
  return { publications: made, refusals };
}

/** The Docker source's origins begin with the short id. */
const containerOf = ({ origin }: Server): string => origin.id.slice(0, 12);

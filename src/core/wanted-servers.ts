import { parseHostPort } from "./address.ts";
import type { ConfigSection } from "./haproxy-config.ts";
import { proxySettings } from "./proxy-settings.ts";
import { type ServerParameters, serverParameters } from "./server-parameters.ts";

/** What a configuration says of a server, as far as HAProxy can be asked for it. */
export interface WantedServer {
  readonly backend: string;
  readonly server: string;
  /** Canonical IP literal; null where only HAProxy knows it: a host name, a reference to the environment. */
  readonly address: string | null;
  readonly port: number;
  /** Whether HAProxy checks it. */
  readonly checked: boolean;
  readonly disabled: boolean;
  /** The whole line; null when it has words that are not known here. */
  readonly parameters: ServerParameters | null;
}

/** The servers that a worker must have which runs a configuration. */
export interface WantedServers {
  /** By `backend/server`. */
  readonly servers: ReadonlyMap<string, WantedServer>;
  /**
   * The backends about which something can be said; of others only HAProxy knows what became of conditional blocks,
   * server templates, and names from the environment.
   */
  readonly backends: ReadonlySet<string>;
}

/** @param only servers to look at, by `backend/server`; null = all. */
export function wantedServers(
  sections: readonly ConfigSection[],
  only: ReadonlySet<string> | null = null,
): WantedServers {
  const servers = new Map<string, WantedServer>();
  const backends = new Set<string>();
  for (const section of sections) {
    if (section.keyword !== "backend" && section.keyword !== "listen") continue;
    const settings = proxySettings(section, sections);
    const isTemplate = settings.all("server-template").length > 0;
    if (settings.isConditional || isTemplate || isUnclear(section)) continue;
    backends.add(section.name);
    for (const line of section.servers) {
      if (only !== null && !only.has(`${section.name}/${line.name}`)) continue;
      const { address, words } = settings.serverWords(line);
      const read = serverParameters({ address, words });
      const place = parseHostPort(address);
      const literal = place.ok && /^[0-9.]+$|:/.test(place.value.address) ? place.value : null;
      servers.set(`${section.name}/${line.name}`, {
        backend: section.name,
        server: line.name,
        address: literal?.address ?? null,
        port: literal?.port ?? 0,
        checked: read.ok ? read.value.checked : isOn(words, { on: "check", off: "no-check" }),
        disabled: read.ok ? read.value.disabled : isOn(words, { on: "disabled", off: "enabled" }),
        parameters: read.ok ? read.value : null,
      });
    }
  }
  return { servers, backends };
}

const isUnclear = ({ name, servers }: ConfigSection): boolean =>
  name.includes("$") || servers.some((line) => line.name.includes("$"));

const isOn = (words: readonly string[], { on, off }: { on: string; off: string }): boolean =>
  words.lastIndexOf(on) > words.lastIndexOf(off);

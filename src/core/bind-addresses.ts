import { parseHost, parsePort } from "./address.ts";
import { readConfig } from "./haproxy-config.ts";

/** An address on which a configuration listens. */
export interface BindAddress {
  /** IP literal; null = all addresses of IPv4. */
  readonly host: string | null;
  readonly port: number;
  /** Line of the `bind`, counted from 1. */
  readonly line: number;
}

/**
 * The plain TCP addresses of the `bind` lines: `*:80`, `:80`, `127.0.0.1:80`, `[::]:80`, also several with commas.
 * Everything else that HAProxy knows (unix sockets, port ranges, descriptors, names, QUIC) is left out.
 */
export function bindAddresses(text: string): readonly BindAddress[] {
  const binds = readConfig(text)
    .filter(({ keyword }) => keyword === "frontend" || keyword === "listen")
    .flatMap((section) => section.lines)
    // A transparent one need not be an address of this host.
    .filter((line) => line.words[0] === "bind" && !line.words.includes("transparent"));
  return binds.flatMap(({ number, words }) =>
    (words[1] ?? "").split(",").flatMap((address): readonly BindAddress[] => {
      const [, hostText = "", portText = ""] = /^(?:ipv[46]@)?(.*):([0-9]+)$/.exec(address) ?? [];
      const port = parsePort(portText);
      if (!port.ok) return [];
      if (hostText === "" || hostText === "*") return [{ host: null, port: port.value, line: number }];
      const bare = hostText.replace(/^\[(.*)\]$/, "$1");
      const host = parseHost(bare);
      const literal = bare === "::" || (host.ok && /^[0-9.]+$|:/.test(host.value));
      return literal ? [{ host: host.ok ? host.value : bare, port: port.value, line: number }] : [];
    }),
  );
}

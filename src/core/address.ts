import { accept, refuse, type Result } from "./result.ts";

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const IPV6_CHARACTERS = /^[0-9A-Fa-f:.]+$/;
const HOST_NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/**
 * A host as HAProxy may see it: a canonical IP literal or a host name. HAProxy itself takes far more: a path or
 * `unix@…` (the backend becomes a local socket), `*` and `0.0.0.0` (the address that the client asked for), and the
 * odd forms of IPv4 (`127.1`, `0x7f.1`, `2130706433`); all of them are refused here.
 */
export function parseHost(text: string): Result<string> {
  if (IPV4.test(text)) {
    return text === "0.0.0.0" ? refuse("address 0.0.0.0 is no server's address") : accept(text);
  }
  if (text.includes(":")) {
    const literal = canonicalIpv6(text);
    if (literal === undefined) return refuse(`${quote(text)} is no IPv6 address`);
    return literal === "::" ? refuse("address :: is no server's address") : accept(literal);
  }
  if (HOST_NAME.test(text)) return accept(text.toLowerCase());
  return refuse(`${quote(text)} is neither an IP address nor a host name`);
}

/** A port from 1 to 65535, in plain decimal digits. */
export function parsePort(text: string): Result<number> {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535
    ? accept(port)
    : refuse(`port ${quote(text)} is not a number from 1 to 65535`);
}

/** `HOST:PORT`, an IPv6 host in brackets: `172.17.0.5:8000`, `app1:8000`, `[fd00::5]:80`. */
export function parseHostPort(text: string): Result<{ address: string; port: number }> {
  const bracketed = text.startsWith("[") ? /^\[([^\]]*)\]:([^:]*)$/.exec(text) : null;
  const parts = bracketed ?? /^([^:]*):([^:]*)$/.exec(text);
  if (parts === null)
    return refuse(`${quote(text)} is not HOST:PORT (an IPv6 address needs brackets: [fd00::5]:80)`);
  const hostText = parts[1] ?? "";
  if (bracketed !== null && !hostText.includes(":")) return refuse(`${quote(hostText)} is no IPv6 address`);
  const host = parseHost(hostText);
  if (!host.ok) return host;
  const port = parsePort(parts[2] ?? "");
  return port.ok ? accept({ address: host.value, port: port.value }) : port;
}

/** The shortest form (RFC 5952) without brackets, by the URL parser, which follows the same rules. */
function canonicalIpv6(text: string): string | undefined {
  if (!IPV6_CHARACTERS.test(text)) return undefined;
  const url = URL.parse(`http://[${text}]/`);
  return url === null ? undefined : url.hostname.slice(1, -1);
}

/** Untrusted text, fit to be shown: quoted, whatever is invisible or turns text round escaped, cut at 80 characters. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  return quoted.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (odd) => {
    const units = Array.from({ length: odd.length }, (_, index) => odd.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { type Answer, type Route, textAnswer } from "./answer.ts";
import type { TokenFile } from "./token-file.ts";

/** Who is let in. */
export interface Door {
  /** Null = there is no token: everything is for everybody who can reach the address, except what changes something. */
  readonly token: TokenFile | null;
  /** Names by which we may be asked, besides addresses and localhost; null = by any. */
  readonly names: readonly string[] | null;
}

const MISDIRECTED = textAnswer(
  421,
  "this address is for its own machine: ask by IP address or by localhost; a proxy in front of it must set the header host",
);
const UNAUTHORIZED: Answer = {
  ...textAnswer(
    401,
    'this needs the header "authorization: Bearer TOKEN", with the token of http-token-file',
  ),
  headers: { "www-authenticate": 'Bearer realm="rollcall"' },
};
const NO_TOKEN = textAnswer(403, "nothing is changed from here without a token: set http-token-file");
const UNKNOWN_TOKEN = textAnswer(503, "the token file has no token, see Rollcall's log");

/**
 * Decides whether a request is answered: with the whole answer, with its first line alone, or with a refusal.
 * @param route what it asks for; undefined = there is no such thing, which not everybody needs to know.
 */
export async function admission(
  { headers }: Pick<IncomingMessage, "headers">,
  { route, door }: { route: Route | undefined; door: Door },
): Promise<"whole" | "first line" | Answer> {
  if (door.names !== null && !isOurName(headers.host, door.names)) return MISDIRECTED;
  if (door.token === null) return route?.access === "change" ? NO_TOKEN : "whole";
  const verdict = await door.token.judge(headers.authorization);
  if (verdict === "right") return "whole";
  if (route?.access === "open") return "first line";
  return verdict === "unknown" ? UNKNOWN_TOKEN : UNAUTHORIZED;
}

/**
 * A page in a browser may let its own name lead to 127.0.0.1, and then asks us as if we were its server (DNS rebinding).
 * It cannot ask by an address, nor by a name that is not its own. A client that sends no name is no browser.
 */
function isOurName(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true;
  if (!/^[\w.:[\]-]+$/.test(host)) return false;
  const name = URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "") ?? "";
  return isIP(name.replace(/^\[(.*)\]$/, "$1")) > 0 || name === "localhost" || names.includes(name);
}

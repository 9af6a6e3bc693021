import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { ConnectionOptions } from "node:tls";
import { messageOf } from "../lib/errors.ts";
import type { AgentStatusJson } from "./agent-status-json.ts";
import type { StatusJson } from "./status-json.ts";

export interface StatusAnswer {
  /** As the daemon sent it. */
  readonly text: string;
  readonly status: StatusJson | AgentStatusJson;
}

/** An agent answers otherwise than a daemon. */
export const isAgentStatus = (status: StatusJson | AgentStatusJson): status is AgentStatusJson =>
  "registration" in status;

const PATH = "/api/status";
/** A daemon answers within milliseconds; one that does not is in trouble, and that is to be told soon. */
const TIMEOUT_MS = 5000;

/** What a daemon is asked with. */
export interface StatusAsk {
  /** `http://127.0.0.1:8405`; a path behind it is kept, for a proxy that adds one. */
  readonly url: string;
  /** Null, or not given = the daemon wants none. */
  readonly token?: string | null;
  /** How its certificate is checked; as Node does by itself when not given. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "checkServerIdentity" | "allowPartialTrustChain">;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * Asks a daemon for its status.
 * @throws Error saying what is wrong there, and what to do.
 */
export async function askStatus(ask: StatusAsk): Promise<StatusAnswer> {
  const { url, signal, timeoutMs = TIMEOUT_MS } = ask;
  const base = url.replace(/\/+$/, "");
  const full = base.endsWith(PATH) ? base : base + PATH;
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await read(full, { ...ask, signal: AbortSignal.any([signal, timeout]) }).catch(
    (error: unknown) => {
      const why = timeout.aborted ? `no whole answer within ${timeoutMs / 1000} s` : troubleOf(error);
      throw new Error(`${full}: ${why}; --url or the option http names another address`);
    },
  );
  const status = answer.code === 200 ? parse(answer.text) : null;
  if (status !== null) return { text: answer.text, status };
  const what = answer.code === 200 ? "answered, but not as Rollcall does" : `answered ${answer.code}`;
  throw new Error(`${full} ${what}; ${hintFor(answer.code)}`);
}

function hintFor(code: number): string {
  if (code === 401)
    return "it wants the token that http-token-file holds there: give a file with the same one";
  if (code >= 500) return "its log says more";
  return "something else seems to listen there; --url or the option http names another address";
}

/** Not by `fetch`: that refuses ports on which browsers expect other protocols, 10080 for one. */
async function read(url: string, { token, tls, signal }: StatusAsk): Promise<{ code: number; text: string }> {
  const { get } = url.startsWith("https:") ? https : http;
  const bearer = typeof token === "string" ? { authorization: `Bearer ${token}` } : {};
  const headers = { accept: "application/json", ...bearer };
  const request = get(url, { ...tls, signal, agent: false, headers });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { code: response.statusCode ?? 0, text };
}

function troubleOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") {
    return 'nothing listens there: "rollcall run" does not run, or listens elsewhere';
  }
  const isUntrusted = /CERT|SIGNATURE/.test(code ?? "");
  return isUntrusted ? `${messageOf(error)}: http-ca names who signed its certificate` : messageOf(error);
}

const LISTS_OF_DAEMON = ["sources", "backends", "quarantined", "waiting", "warnings", "changes"];
const LISTS_OF_AGENT = ["servers", "quarantined", "waiting", "warnings"];

/** Null when it is not Rollcall's. */
function parse(text: string): StatusJson | AgentStatusJson | null {
  try {
    const found = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    if (typeof found?.["ready"] !== "boolean" || typeof found["version"] !== "string") return null;
    const isAgent = typeof found["registration"] === "object";
    const lists = ["reasons", "notes", ...(isAgent ? LISTS_OF_AGENT : LISTS_OF_DAEMON)];
    const isWhole = lists.every((name) => Array.isArray(found[name]));
    const isStatus = isWhole && (isAgent || typeof found["haproxy"] === "object");
    return isStatus ? (found as unknown as StatusJson | AgentStatusJson) : null;
  } catch {
    return null;
  }
}

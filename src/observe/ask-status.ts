import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
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

/**
 * Asks a daemon for its status.
 * @param ask.url `http://127.0.0.1:8405`; a path behind it is kept, for a proxy that adds one.
 * @throws Error saying what is wrong there, and what to do.
 */
export async function askStatus(ask: {
  url: string;
  signal: AbortSignal;
  timeoutMs?: number;
}): Promise<StatusAnswer> {
  const { url, signal, timeoutMs = TIMEOUT_MS } = ask;
  const base = url.replace(/\/+$/, "");
  const full = base.endsWith(PATH) ? base : base + PATH;
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await read(full, AbortSignal.any([signal, timeout])).catch((error: unknown) => {
    const why = timeout.aborted ? `no whole answer within ${timeoutMs / 1000} s` : troubleOf(error);
    throw new Error(`${full}: ${why}; --url or the option http names another address`);
  });
  const status = answer.code === 200 ? parse(answer.text) : null;
  if (status !== null) return { text: answer.text, status };
  const what = answer.code === 200 ? "answered, but not as Rollcall does" : `answered ${answer.code}`;
  const hint =
    answer.code >= 500
      ? "its log says more"
      : "something else seems to listen there; --url or the option http names another address";
  throw new Error(`${full} ${what}; ${hint}`);
}

/** Not by `fetch`: that refuses ports on which browsers expect other protocols, 10080 for one. */
async function read(url: string, signal: AbortSignal): Promise<{ code: number; text: string }> {
  const { get } = url.startsWith("https:") ? https : http;
  const request = get(url, { signal, agent: false, headers: { accept: "application/json" } });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { code: response.statusCode ?? 0, text };
}

function troubleOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNREFUSED"
    ? 'nothing listens there: "rollcall run" does not run, or listens elsewhere'
    : messageOf(error);
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

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../lib/logger.ts";
import { admission, type Door } from "./admission.ts";
import { type Answer, type Route, type Routes, textAnswer } from "./answer.ts";

/** Answers are of this moment, are read by programs, and have no business in somebody else's page. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** What requests are answered from. */
export interface Serving {
  readonly routes: Routes;
  readonly door: Door;
  readonly log: Logger;
}

/** Answers one request; an error of ours is logged, and not shown. */
export async function serveRequest(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  serving: Serving,
): Promise<void> {
  try {
    send(response, { request, answer: await answer(request, serving) });
  } catch (error) {
    serving.log.error({ err: error, path: pathOf(request) }, "a request could not be answered");
    if (response.headersSent) response.destroy();
    else send(response, { request, answer: textAnswer(500, "internal error, see Rollcall's log") });
  }
}

async function answer(request: IncomingMessage, { routes, door }: Serving): Promise<Answer> {
  const route = routes.get(pathOf(request));
  const admitted = await admission(request, { route, door });
  if (typeof admitted === "object") return admitted;
  const refusal = refusalOf(request, route);
  if (refusal !== null) return refusal;
  if (route === undefined)
    return textAnswer(404, `nothing here; there is:\n${[...routes.keys()].join("\n")}`);
  const whole = await route.answer();
  return admitted === "whole" ? whole : textAnswer(whole.code, whole.body.split("\n", 1)[0] ?? "");
}

/** What is wrong with the form of a request; null = nothing. */
function refusalOf(request: IncomingMessage, route: Route | undefined): Answer | null {
  const methods = route?.access === "change" ? ["POST"] : ["GET", "HEAD"];
  if (!methods.includes(request.method ?? "")) {
    const text = `only ${methods.join(" and ")} ${methods.length === 1 ? "is" : "are"} answered`;
    return { ...textAnswer(405, text), headers: { allow: methods.join(", ") } };
  }
  return hasBody(request) ? textAnswer(413, "no request here has a body") : null;
}

const pathOf = (request: IncomingMessage): string => (request.url ?? "").split("?", 1)[0] ?? "";

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

function send(response: ServerResponse, given: { request: IncomingMessage; answer: Answer }): void {
  const { code, type, body, headers } = given.answer;
  response.writeHead(code, {
    ...HEADERS,
    ...headers,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    // A body is not read, so nothing more can be read on its connection.
    ...(hasBody(given.request) ? { connection: "close" } : {}),
  });
  response.end(body);
}

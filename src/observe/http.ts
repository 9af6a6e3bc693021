import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostPort } from "../core/server.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { type Answer, type Routes, textAnswer } from "./answer.ts";

export interface HttpOptions {
  /** An IP address or host name; `::` and `0.0.0.0` are all of this machine's. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** What is served, by path. */
  readonly routes: Routes;
  readonly log: Logger;
  /**
   * How long a client may take to send its request, and how long it may leave an answer unread, in milliseconds;
   * 10 seconds when not given.
   */
  readonly clientTimeoutMs?: number;
}

export interface HttpServer {
  /** `127.0.0.1:8405`, with the port that was really taken. */
  readonly address: string;
  /** Stops listening, cuts all connections and resolves when they are gone. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5000;
const MAX_HEADER_BYTES = 8 * 1024;
/** Far more than probes and scrapers need, far fewer than a process may have open. */
const MAX_CONNECTIONS = 100;

/** Answers are of this moment, are read by programs, and have no business in somebody else's page. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/**
 * Serves what Rollcall can say of itself; nothing can be changed through it.
 * @throws Error naming the address and the option, when it cannot listen there.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, routes, log, clientTimeoutMs = 10_000 } = options;
  const limits = {
    headersTimeout: clientTimeoutMs,
    requestTimeout: clientTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, clientTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = createServer(limits, (request, response) => {
    void serve({ request, response, routes, log });
  });
  server.timeout = clientTimeoutMs;
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, { host, port });
  server.on("error", (error) => log.error({ err: error }, "the HTTP server has trouble"));
  const bound = server.address() as AddressInfo;
  return { address: hostPort(bound), close: () => close(server) };
}

async function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  try {
    server.listen({ ...at, exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    const where = hostPort({ address: at.host, port: at.port });
    const why =
      (cause as NodeJS.ErrnoException).code === "EADDRINUSE"
        ? "something else listens there"
        : messageOf(cause);
    throw new Error(
      `cannot serve HTTP on ${where}: ${why}; set the option http to another address, or to off`,
      {
        cause,
      },
    );
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

async function serve(given: {
  request: IncomingMessage;
  response: ServerResponse;
  routes: Routes;
  log: Logger;
}): Promise<void> {
  const { request, response, routes, log } = given;
  try {
    send(response, { request, answer: await answer(request, routes) });
  } catch (error) {
    log.error({ err: error, path: pathOf(request) }, "a request could not be answered");
    if (response.headersSent) response.destroy();
    else send(response, { request, answer: textAnswer(500, "internal error, see Rollcall's log") });
  }
}

async function answer(request: IncomingMessage, routes: Routes): Promise<Answer> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...textAnswer(405, "only GET and HEAD are answered"), headers: { allow: "GET, HEAD" } };
  }
  if (hasBody(request)) return textAnswer(413, "no request here has a body");
  const route = routes.get(pathOf(request));
  return route === undefined
    ? textAnswer(404, `nothing here; there is:\n${[...routes.keys()].join("\n")}`)
    : route();
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

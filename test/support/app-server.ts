import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** A tiny HTTP server in this process, to stand behind HAProxy. */
export interface AppServer extends AsyncDisposable {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** "127.0.0.1:15001" */
  readonly address: string;
  /** Requests that arrived so far, health checks included. */
  readonly requests: number;
  /** What `/healthz` answers: true is 200, false is 503. Anything else keeps working. */
  healthy: boolean;
  /** Stops listening at once and resolves when all open requests are answered. */
  close(): Promise<void>;
  /** Cuts all connections with a reset and goes on listening. */
  destroyConnections(): void;
}

/**
 * Starts a server that answers its name as plain text on every path. `/slow?ms=500` answers after 500 ms, `/healthz`
 * as `healthy` says. Requests on a connection carry on with keep-alive; after `close` has begun it is announced that
 * the connection closes.
 * @param options.host Address to listen on, any of 127.0.0.0/8; "127.0.0.1" when not given.
 */
export async function startApp(options: { name: string; host?: string; port?: number }): Promise<AppServer> {
  const { name, host = "127.0.0.1" } = options;
  const port = options.port ?? (await freePort(host));
  const state = { requests: 0, healthy: true, closing: false };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    state.requests++;
    const url = new URL(request.url ?? "/", "http://app");
    if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms") ?? 0));
    if (state.closing) response.setHeader("connection", "close");
    response.writeHead(url.pathname === "/healthz" && !state.healthy ? 503 : 200, { "x-server": name });
    response.end(name);
  }

  // No limit on idle connections: HAProxy keeps them in its pool, and closing one here races with its next use.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => void answer(request, response));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen({ host, port });
  await once(server, "listening");

  const app: AppServer = {
    name,
    host,
    port,
    address: `${host}:${port}`,
    get requests() {
      return state.requests;
    },
    get healthy() {
      return state.healthy;
    },
    set healthy(value) {
      state.healthy = value;
    },
    async close() {
      if (!server.listening) return;
      state.closing = true;
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
    destroyConnections() {
      for (const socket of sockets) if (!socket.writableEnded) socket.resetAndDestroy();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await app.close();
    },
  };
  return app;
}

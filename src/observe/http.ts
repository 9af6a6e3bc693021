import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { isLoopback } from "../core/container-address.ts";
import { hostPort } from "../core/server.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Routes } from "./answer.ts";
import { serveRequest } from "./serve-request.ts";
import { followTls, readTls, type TlsFiles } from "./tls-files.ts";
import { type TokenFile, tokenFile } from "./token-file.ts";

export interface HttpOptions {
  /** An IP address or host name; `::` and `0.0.0.0` are all of this machine's. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** What is served, by path. */
  readonly routes: Routes;
  readonly log: Logger;
  /** File with the token that requests must bear; null, or not given = there is none. */
  readonly tokenFile?: string | null;
  /** Null, or not given = no TLS. */
  readonly tls?: TlsFiles | null;
  /**
   * How long a client may take to send its request, and how long it may leave an answer unread, in milliseconds;
   * 10 seconds when not given.
   */
  readonly clientTimeoutMs?: number;
}

export interface HttpServer {
  /** `127.0.0.1:8405`, with the port that was really taken. */
  readonly address: string;
  /** True when it can be reached from this machine alone. */
  readonly isLocal: boolean;
  /** Stops listening, cuts all connections and resolves when they are gone. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5000;
const MAX_HEADER_BYTES = 8 * 1024;
/** Far more than probes and scrapers need, far fewer than a process may have open. */
const MAX_CONNECTIONS = 100;

/**
 * Serves what Rollcall can say of itself.
 * @throws Error naming the address or the file and the option, when it cannot listen there or lacks a token or TLS.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, log, routes } = options;
  const token = await usable("http-token-file", options.tokenFile, (path) => tokenFile(path, log));
  const pair = await usable("http-cert", options.tls, readTls);
  const door: { token: TokenFile | null; names: readonly string[] | null } = { token, names: [host] };
  const server = newServer({ pair, clientTimeoutMs: options.clientTimeoutMs ?? 10_000 });
  server.on("request", (request, response) => {
    void serveRequest({ request, response }, { routes, door, log });
  });
  const sockets = openSockets(server);
  await listen(server, options);
  server.on("error", (error) => log.error({ err: error }, "the HTTP server has trouble"));
  const bound = server.address() as AddressInfo;
  const isLocal = isLoopback(bound.address);
  // Of other addresses we do not know all names.
  if (!isLocal) door.names = null;
  const stop = new AbortController();
  if (server instanceof https.Server && options.tls && pair !== null) {
    followTls(server, { files: options.tls, pair, log, signal: stop.signal });
  }
  const end = async (): Promise<void> => {
    stop.abort();
    await close(server, sockets);
  };
  return { address: hostPort(bound), isLocal, close: end };
}

/** Reads what an option names, if it names something. */
async function usable<G, T>(option: string, given: G | null | undefined, read: (given: G) => Promise<T>) {
  if (given === null || given === undefined) return null;
  return read(given).catch((cause: unknown) => {
    throw new Error(`HTTP is not served, because of the option ${option}: ${messageOf(cause)}`, { cause });
  });
}

function newServer(given: {
  pair: https.ServerOptions | null;
  clientTimeoutMs: number;
}): http.Server | https.Server {
  const { pair, clientTimeoutMs } = given;
  const limits = {
    headersTimeout: clientTimeoutMs,
    requestTimeout: clientTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, clientTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server =
    pair === null
      ? http.createServer(limits)
      : https.createServer({ ...limits, ...pair, handshakeTimeout: clientTimeoutMs });
  server.timeout = clientTimeoutMs;
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    const where = hostPort({ address: host, port });
    const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    const why = isTaken ? "something else listens there" : messageOf(cause);
    throw new Error(
      `cannot serve HTTP on ${where}: ${why}; set the option http to another address, or to off`,
      { cause },
    );
  }
}

/** All open connections: those in which TLS is still agreed upon are not known to Node's `closeAllConnections`. */
function openSockets(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

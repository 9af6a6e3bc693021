import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { freePort } from "./free-port.ts";

/** A server in this process whose answers take as long as one likes. */
export interface StreamApp extends AsyncDisposable {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** "127.0.0.1:15001" */
  readonly address: string;
  /** Lets all downloads come to their proper end. */
  endDownloads(): void;
}

const CHUNK_EVERY_MS = 100;

/**
 * Starts a server that echoes whatever comes over an upgraded connection, sends the lines `0`, `1`, `2` … on
 * `/download`, one each 100 ms, and answers its name on any other path.
 */
export async function startStreamApp(name: string): Promise<StreamApp> {
  const [host, port] = ["127.0.0.1", await freePort()];
  const downloads = new Set<() => void>();
  const tunnels = new Set<Duplex>();

  function download(response: ServerResponse): void {
    let line = 0;
    const timer = setInterval(() => response.write(`${line++}\n`), CHUNK_EVERY_MS);
    const end = (): void => {
      downloads.delete(end);
      clearInterval(timer);
      response.end();
    };
    downloads.add(end);
    response.on("close", end);
  }

  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    response.setHeader("x-server", name);
    if (request.url === "/download") download(response);
    else response.end(name);
  });
  server.on("upgrade", (_: IncomingMessage, socket: Duplex) => {
    tunnels.add(socket);
    socket.on("error", () => undefined).on("close", () => tunnels.delete(socket));
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\nx-server: ${name}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  server.listen({ host, port });
  await once(server, "listening");
  return {
    name,
    host,
    port,
    address: `${host}:${port}`,
    endDownloads: () => {
      for (const end of [...downloads]) end();
    },
    async [Symbol.asyncDispose]() {
      for (const end of [...downloads]) end();
      for (const socket of tunnels) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

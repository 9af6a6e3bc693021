import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { freePort } from "../test/support/free-port.ts";

/** The least that can stand behind HAProxy: its time is not what is measured. */
export interface PlainApp extends AsyncDisposable {
  readonly name: string;
  /** `127.0.0.1:15001` */
  readonly address: string;
}

/** Answers whatever arrives on a connection, which is one whole request without a body, with its name in `x-server`. */
export async function startPlainApp(name: string): Promise<PlainApp> {
  const answer = `HTTP/1.1 200 OK\r\nx-server: ${name}\r\ncontent-length: 0\r\n\r\n`;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", () => void socket.write(answer));
    socket.on("error", () => undefined); // HAProxy may reset what it no longer needs.
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await freePort();
  server.listen({ host: "127.0.0.1", port });
  await once(server, "listening");
  return {
    name,
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

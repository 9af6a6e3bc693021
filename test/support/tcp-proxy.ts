import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { freePort } from "./free-port.ts";

/** A TCP proxy on 127.0.0.1 that can play a broken network between a client and a server. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** "127.0.0.1:15001" */
  readonly address: string;
  /** Connections that are open at this moment. */
  readonly connections: number;
  /**
   * Stops forwarding and closes nothing, as a cut cable does. New connections are accepted and get no answer. What
   * is sent meanwhile is delivered after `pass`, as TCP would retransmit it.
   */
  blackhole(): void;
  /** Resets all open connections. New ones work as before. */
  cut(): void;
  /** Refuses new connections. Open ones stay; call `cut` too to end them. */
  refuse(): Promise<void>;
  /** Forwards again, also after `refuse`. */
  pass(): Promise<void>;
}

interface Pair {
  client: Socket;
  target: Socket;
}

/** Starts a proxy to a port of 127.0.0.1, or to a unix socket. It passes everything on at first. */
export async function startTcpProxy(to: number | string, options: { port?: number } = {}): Promise<TcpProxy> {
  const address = typeof to === "number" ? { port: to, host: "127.0.0.1" } : { path: to };
  const port = options.port ?? (await freePort());
  const pairs = new Set<Pair>();
  const state = { swallowing: false };

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const pair = { client, target: createConnection(address) };
    pairs.add(pair);
    forward(pair, () => pairs.delete(pair));
    if (state.swallowing) pauseAll([pair]);
    else client.resume();
  });

  async function listen(): Promise<void> {
    if (server.listening) return;
    server.listen({ port, host: "127.0.0.1" });
    await once(server, "listening");
  }

  function cut(): void {
    for (const { client, target } of pairs) {
      reset(client);
      reset(target);
    }
  }

  await listen();
  return {
    port,
    address: `127.0.0.1:${port}`,
    get connections() {
      return pairs.size;
    },
    blackhole() {
      state.swallowing = true;
      pauseAll(pairs);
    },
    cut,
    async refuse() {
      if (!server.listening) return;
      server.close(); // Its callback would come only after the last connection.
      await Promise.resolve();
    },
    async pass() {
      state.swallowing = false;
      for (const { client, target } of pairs) {
        client.resume();
        target.resume();
      }
      await listen();
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await Promise.resolve();
    },
  };
}

function pauseAll(pairs: Iterable<Pair>): void {
  for (const { client, target } of pairs) {
    client.pause();
    target.pause();
  }
}

// Not pipe(): it would resume a side that was paused on purpose as soon as the other side drains.
function forward({ client, target }: Pair, onClosed: () => void): void {
  for (const [from, to] of [[client, target] as const, [target, client] as const]) {
    from.setNoDelay(true);
    from.on("data", (chunk: Buffer) => to.write(chunk));
    from.on("end", () => to.end());
    from.on("error", () => reset(to));
    from.on("close", onClosed);
  }
}

// Node never closes the handle of a socket that is reset while its half close is under way; a unix socket knows no reset.
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

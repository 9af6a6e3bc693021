import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Child } from "../../scripts/lab/child.ts";
import { haproxyBinary, type HaproxyVersion } from "../../scripts/lab/haproxy.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";

const CONFIG = join(import.meta.dirname, "../../examples/socket-filter/socket-filter.cfg");

/** The filter of examples/socket-filter in front of a socket, as a process of this machine. */
export interface SocketFilter extends AsyncDisposable {
  readonly port: number;
  /** "tcp://127.0.0.1:15001" */
  readonly dockerHost: string;
  /**
   * Sends these bytes and, so that the filter closes the connection in the end, `FAREWELL`; resolves with all that is
   * answered. A filter that closes before it has read everything may take its answer with it.
   */
  send(bytes: string): Promise<string>;
}

/** A request that passes. */
export const FAREWELL = "GET /v1.99/_ping";

/**
 * Starts it with the example's own configuration; only where it listens and where it leads to is another.
 */
export async function startSocketFilter(options: {
  version: HaproxyVersion;
  socketPath: string;
  /** What the filter is set with: INSPECT and SWARM. */
  env?: Record<string, string>;
}): Promise<SocketFilter> {
  const { version, socketPath, env = {} } = options;
  const dir = await tempDir();
  const port = await freePort();
  const [configFile, logFile] = [join(dir.path, "filter.cfg"), join(dir.path, "filter.log")];
  const config = await readFile(CONFIG, "utf8");
  const changed = config
    .replace("bind :2375\n", `bind 127.0.0.1:${port}\n`)
    .replace("server engine /var/run/docker.sock\n", `server engine ${socketPath}\n`);
  await writeFile(configFile, changed);
  const command: [string, ...string[]] = [await haproxyBinary(version), "-db", "-f", configFile];
  const child = new Child({ command, logFile, env });
  const filter: SocketFilter = {
    port,
    dockerHost: `tcp://127.0.0.1:${port}`,
    send: (bytes) => send(port, bytes),
    async [Symbol.asyncDispose]() {
      await child.kill();
      await dir[Symbol.asyncDispose]();
    },
  };
  try {
    await eventually(() => filter.send(""));
    return filter;
  } catch (error) {
    const log = child.log();
    await filter[Symbol.asyncDispose]();
    throw new Error(`The filter does not start: ${log}`, { cause: error });
  }
}

/** A connection that is reset counts as one that ends. @throws Error when nobody listens. */
async function send(port: number, bytes: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setTimeout(20_000, () =>
    socket.destroy(new Error(`no end of the answer to ${JSON.stringify(bytes)}`)),
  );
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
  });
  socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  socket.write(`${bytes}${FAREWELL} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n`, "latin1");
  return promise;
}

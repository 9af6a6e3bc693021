import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** A connection through HAProxy that lasts. */
export interface LongConnection extends AsyncDisposable {
  /** The server at its other end. */
  readonly server: string;
  /** How many echoes came back, or lines came down. */
  readonly received: number;
  /** Why it ended or went wrong, when it was not we who ended it; null while all is well. */
  readonly trouble: string | null;
  /** Resolves when a download has come to its proper end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

const ECHO_EVERY_MS = 50;

/** Opens a tunnel by an upgrade, as a websocket does, and sends a number each 50 ms, which must come back. */
export async function openTunnel(url: string): Promise<LongConnection> {
  const request = get(url, { agent: false, headers: { connection: "upgrade", upgrade: "echo" } });
  const [response, socket] = (await firstOf(request, "upgrade")) as [IncomingMessage, Socket];
  let [sent, echoed, trouble] = [0, "", null as string | null];
  const timer = setInterval(() => socket.write(`${sent++}\n`), ECHO_EVERY_MS);
  socket.setEncoding("utf8").on("data", (text: string) => {
    echoed += text;
    if (!numbers(sent).startsWith(echoed)) trouble ??= `echo: ${echoed.slice(-100)}`;
  });
  socket.on("error", (error) => (trouble ??= `error: ${error.message}`));
  let closing = false;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      clearInterval(timer);
      if (!closing) trouble ??= `closed after ${sent} messages`;
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    closing = true;
    clearInterval(timer);
    socket.destroy();
    await closed;
  };
  return {
    server: String(response.headers["x-server"]),
    get received() {
      return echoed.split("\n").length - 1;
    },
    get trouble() {
      return trouble;
    },
    ended: closed,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts a slow download of the lines `0`, `1`, `2` … and looks at each of them. */
export async function startDownload(url: string): Promise<LongConnection> {
  const request = get(`${url}/download`, { agent: false });
  const [response] = (await firstOf(request, "response")) as [IncomingMessage];
  let [text, trouble] = ["", null as string | null];
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const lines = (): number => text.split("\n").length - 1;
  let closing = false;
  response.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    response.once("close", () => {
      if (closing) return resolve();
      if (!response.complete) trouble ??= `cut after ${lines()} lines`;
      else if (text !== numbers(lines())) trouble ??= `other lines: ${text.slice(-100)}`;
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    closing = true;
    request.destroy();
    await ended;
  };
  return {
    server: String(response.headers["x-server"]),
    get received() {
      return lines();
    },
    get trouble() {
      return trouble;
    },
    ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** "0\n1\n2\n" */
const numbers = (count: number): string => Array.from({ length: count }, (_, line) => `${line}\n`).join("");

async function firstOf(request: ClientRequest, event: "upgrade" | "response"): Promise<unknown[]> {
  const other = event === "upgrade" ? "response" : "upgrade";
  return Promise.race([
    once(request, event),
    once(request, other).then(([response]) => {
      throw new Error(`${other} in the place of ${event}: ${(response as IncomingMessage).statusCode}`);
    }),
  ]);
}

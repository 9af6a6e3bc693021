import { connect, type Socket } from "node:net";

/** Asks one address with as little work as possible: `fetch` takes several times as long as HAProxy does. */
export interface HttpClient {
  /**
   * Resolves with the header `x-server` of the answer, or with its status code when it has none. The connection is kept
   * for as long as HAProxy keeps it. Rejects when there is no answer at all.
   */
  ask(): Promise<string>;
  close(): void;
}

const REQUEST = "GET / HTTP/1.1\r\nhost: bench\r\n\r\n";

export function httpClient(url: string): HttpClient {
  const { hostname: host, port } = new URL(url);
  let socket: Socket | null = null;
  const close = (): void => {
    socket?.destroy();
    socket = null;
  };
  return {
    close,
    async ask() {
      socket ??= connect({ host, port: Number(port), noDelay: true });
      try {
        const answer = await exchange(socket);
        if (!canBeKept(answer)) close();
        return nameIn(answer);
      } catch (error) {
        close();
        throw error;
      }
    },
  };
}

/** Sends one request and resolves with the whole answer: it has a length, or ends with the connection. */
function exchange(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const end = (finish: () => void): void => {
      socket.off("data", onData).off("close", onClose).off("error", onError);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (isWhole(text)) end(() => resolve(text));
    };
    const onClose = (): void => end(() => (text === "" ? reject(new Error("closed")) : resolve(text)));
    const onError = (error: Error): void => end(() => reject(error));
    socket.on("data", onData).on("close", onClose).on("error", onError);
    socket.write(REQUEST);
  });
}

function isWhole(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  const length = lengthIn(text);
  return head >= 0 && length !== null && text.length >= head + 4 + length;
}

function lengthIn(text: string): number | null {
  const found = /^content-length: (\d+)/im.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

const canBeKept = (answer: string): boolean =>
  lengthIn(answer) !== null && !/^connection: close/im.test(answer);

const nameIn = (answer: string): string =>
  /^x-server: (.*)\r$/m.exec(answer)?.[1] ?? answer.slice("HTTP/1.1 ".length, "HTTP/1.1 ".length + 3);

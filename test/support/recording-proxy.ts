import { once } from "node:events";
import { createServer, request as requestOf } from "node:http";
import { join } from "node:path";
import { tempDir } from "./temp-dir.ts";

/** A unix socket in front of another one that notes the requests and changes nothing. */
export interface RecordingProxy extends AsyncDisposable {
  readonly socketPath: string;
  readonly requests: readonly RecordedRequest[];
}

export interface RecordedRequest {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

export async function recordingProxy(behind: string): Promise<RecordingProxy> {
  const dir = await tempDir();
  const socketPath = join(dir.path, "proxy.sock");
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    const { method = "", url: target = "", headers } = incoming;
    requests.push({ method, target, headers });
    const outgoing = requestOf({ socketPath: behind, method, path: target, headers, agent: false });
    outgoing.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.on("error", () => response.destroy()).pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

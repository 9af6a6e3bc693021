import { createConnection } from "node:net";

/**
 * Sends one line to a unix socket of HAProxy, closes our side and resolves with all that comes back.
 * @throws Error when nobody listens, or when the answer is not complete after `timeoutMs`.
 */
export async function askSocket(path: string, line: string, timeoutMs = 3000): Promise<string> {
  const socket = createConnection({ path });
  const timer = setTimeout(() => socket.destroy(new Error(`No answer to "${line}" from ${path}`)), timeoutMs);
  try {
    // The master's socket answers only after our side is closed, the worker's closes by itself.
    socket.end(`${line}\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

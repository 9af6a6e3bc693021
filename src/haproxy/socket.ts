import { createConnection } from "node:net";

/** The longest answer that is kept, in bytes: `show servers state` of 50,000 servers has 5 MB. */
const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Sends one line to a HAProxy socket and resolves with the whole answer. One connection is one line: the worker's
 * socket closes after its answer, the master's when we close our half, so both are read to their end, and no
 * connection stays open to keep an old worker alive.
 * @throws Error when nothing listens, the answer does not end within `timeoutMs`, or `signal` aborts.
 */
export function ask(options: {
  path: string;
  command: string;
  timeoutMs: number;
  /** Close our half after the command, as the master's socket needs; the worker's `wait` must not have it. */
  halfClose?: boolean;
  signal?: AbortSignal | undefined;
}): Promise<string> {
  const { path, command, timeoutMs, halfClose = false, signal } = options;
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error: Error | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error === null) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(error);
    };
    const onAbort = (): void => finish(new Error(`${path}: aborted`));
    const timer = setTimeout(
      () => finish(new Error(`${path}: no answer to ${JSON.stringify(command)} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("connect", () => (halfClose ? socket.end(`${command}\n`) : socket.write(`${command}\n`)));
    socket.on("data", (chunk) => {
      size += chunk.length;
      if (size > MAX_ANSWER) finish(new Error(`${path}: the answer is longer than ${MAX_ANSWER} bytes`));
      else chunks.push(chunk);
    });
    socket.on("end", () => finish(null));
    socket.on("error", (error) => finish(new Error(`${path}: ${error.message}`, { cause: error })));
  });
}

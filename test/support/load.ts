import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface LoadOptions {
  /** Only an address of this machine or of containers that the test made. */
  url: string;
  /** How many clients send at the same time, each one request after the other. */
  connections: number;
  /** One connection for many requests, or a new one for each. */
  keepAlive: boolean;
  /** The load ends by itself after this time. */
  maxSeconds: number;
  /** Pause of each client between two requests; 5 ms when not given, so that the machine stays responsive. */
  pauseMs?: number;
  /** Time for one request, after which it counts as failed; 10 seconds when not given. */
  timeoutMs?: number;
  /** Told of each failure, with the times of `performance.now()` at which it was sent and had failed. */
  onFailure?: (failure: { reason: string; sentAtMs: number; atMs: number }) => void;
}

export interface LoadFailure {
  /** What happened: "503", "ECONNRESET (reused connection)", "timeout". */
  reason: string;
  /** Milliseconds from the start of the load to the failure. */
  atMs: number;
}

export interface LoadResult {
  sent: number;
  ok: number;
  failed: number;
  /** The first 20. */
  failures: readonly LoadFailure[];
  /** How many good answers came from which server, by the name in the answer. */
  byServer: ReadonlyMap<string, number>;
  slowestMs: number;
}

export interface Load {
  /** The counts at this moment. */
  readonly result: LoadResult;
  /** Lets the open requests end and resolves with the counts. */
  stop(): Promise<LoadResult>;
}

/**
 * Sends requests until `stop` and counts each of them. Every request that gets no complete 2xx answer is a failure;
 * nothing is tried twice. A connection is used again only when the last answer on it did not announce its end, so a
 * failure here is one that a browser would have seen too.
 */
export function startLoad(options: LoadOptions): Load {
  const { connections, keepAlive, maxSeconds, pauseMs = 5 } = options;
  const agent = new Agent({ keepAlive, maxSockets: connections });
  const startedAt = performance.now();
  const failures: LoadFailure[] = [];
  const byServer = new Map<string, number>();
  const result = { sent: 0, ok: 0, failed: 0, failures, byServer, slowestMs: 0 };
  const state = { running: true };

  async function sendOne(): Promise<void> {
    const sentAt = performance.now();
    result.sent++;
    try {
      const server = await request(options, agent);
      result.ok++;
      byServer.set(server, (byServer.get(server) ?? 0) + 1);
    } catch (error) {
      result.failed++;
      const reason = error instanceof Error ? error.message : String(error);
      options.onFailure?.({ reason, sentAtMs: sentAt, atMs: performance.now() });
      if (failures.length < 20) failures.push({ reason, atMs: Math.round(performance.now() - startedAt) });
    }
    result.slowestMs = Math.max(result.slowestMs, performance.now() - sentAt);
  }

  async function client(): Promise<void> {
    while (state.running && performance.now() - startedAt < maxSeconds * 1000) {
      await sendOne();
      await sleep(pauseMs);
    }
  }

  const clients = Promise.all(Array.from({ length: connections }, client));
  return {
    result,
    async stop() {
      state.running = false;
      await clients;
      agent.destroy();
      return result;
    },
  };
}

// Resolves with the name of the server that answered.
function request({ url, timeoutMs = 10_000 }: LoadOptions, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent }, (response) => {
      readAnswer(response)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
    const timer = setTimeout(() => sent.destroy(new Error("timeout")), timeoutMs);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const where = sent.reusedSocket ? " (reused connection)" : "";
      reject(new Error(`${error.code ?? error.message}${where}`, { cause: error }));
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) throw new Error(String(status));
  const header = response.headers["x-server"];
  return typeof header === "string" ? header : Buffer.concat(chunks).toString("utf8").trim();
}

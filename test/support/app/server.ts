/**
 * The application of the image local/app:1: a web server that does what a test tells it.
 *
 * GET / answers {"name", "host"} · GET /healthz answers 200, or 503 from POST /fail to POST /heal ·
 * GET /slow?ms=500 answers like / after that time.
 * Environment: PORT (8000), NAME (the container's host name), STOP: what SIGTERM does. "graceful" (the default) stops
 * listening, finishes the open requests and exits; "abrupt" exits at once; "ignore" does nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const host = hostname();
const name = process.env["NAME"] ?? host;
const state = { healthy: true, stopping: false };

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://app");
  if (request.method === "POST") state.healthy = url.pathname !== "/fail";
  if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms") ?? 0));
  const status = url.pathname === "/healthz" && !state.healthy ? 503 : 200;
  if (state.stopping) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": "application/json", "x-server": name });
  response.end(`${JSON.stringify({ name, host })}\n`);
}

// Idle connections stay open for as long as the client likes: closing one would race with its next request.
const server = createServer({ keepAliveTimeout: 0 }, (request, response) => void handle(request, response));

function stop(): void {
  const how = process.env["STOP"] ?? "graceful";
  if (how === "ignore") return;
  if (how === "abrupt") process.exit(0);
  state.stopping = true;
  server.close(() => process.exit(0)); // Closes the idle connections too.
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
server.listen(Number(process.env["PORT"] ?? 8000));

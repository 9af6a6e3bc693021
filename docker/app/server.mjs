/**
 * GET / answers this container's host name and how many requests it has had; GET /healthz answers 200.
 * SIGTERM ends it so that no client notices: see `stop`.
 */
import { createServer } from "node:http";
import { hostname } from "node:os";

/** Rollcall reloads HAProxy at most once a second, so it may take a little more than that to drain us. */
const LAME_DUCK_MS = 2500;
const host = hostname();
let count = 0;
let stopping = false;

const server = createServer((request, response) => {
  const health = request.url === "/healthz";
  if (!health) count++;
  // The client, a load balancer mostly, is not to use this connection again.
  if (stopping) response.setHeader("connection", "close");
  response.setHeader("x-server", host);
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify(health ? { ok: true } : { host, count })}\n`);
});
// Longer than the load balancer keeps idle connections, so that it is never us who closes one under its next request.
server.keepAliveTimeout = 60_000;

/**
 * For a moment everything is answered as before, while the load balancer that has seen the stop signal acts on it.
 * Then: no new connections, idle ones are closed, open requests are finished, and out.
 */
function stop() {
  if (stopping) process.exit(1);
  stopping = true;
  setTimeout(() => server.close(() => process.exit(0)), LAME_DUCK_MS);
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
server.listen(Number(process.env.PORT ?? 8000));

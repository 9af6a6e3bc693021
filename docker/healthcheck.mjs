/**
 * The image's HEALTHCHECK. Healthy means that HAProxy's worker answers on its socket, and nothing else: an orchestrator
 * replaces what is unhealthy, and a load balancer that serves must not be replaced because the program beside it has
 * trouble. What Rollcall says of itself is printed for people (`docker inspect`), and is at /readyz for monitoring.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { env, exit, stdout } from "node:process";

const TIMEOUT_MS = 2000;
const socketPath = env.ROLLCALL_HAPROXY_SOCKET ?? "/run/haproxy/admin.sock";
const http = (env.ROLLCALL_HTTP ?? "off").replace(/^\*/, "127.0.0.1");
const isHttps = env.ROLLCALL_HTTP_CERT !== undefined;

/** Resolves with the worker's pid. */
function workerPid() {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(socketPath, () => socket.end("show info\n"));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.setEncoding("utf8").on("data", (chunk) => (answer += chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const pid = /^Pid: ([0-9]+)$/m.exec(answer)?.[1];
      if (pid === undefined) reject(new Error("not an answer of HAProxy"));
      else resolve(pid);
    });
  });
}

/** Asks our own port, so the certificate proves nothing. No token is sent: where one is wanted, the verdict will do. */
async function ask(path) {
  const { get } = await import(isHttps ? "node:https" : "node:http");
  const options = { rejectUnauthorized: false, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const request = get(`${isHttps ? "https" : "http"}://${http}${path}`, options);
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return text;
}

async function readiness() {
  if (http === "off") return "not asked, its HTTP is off";
  try {
    return (await ask("/readyz")).trim().replaceAll("\n", "; ");
  } catch {
    return "does not answer";
  }
}

try {
  const [pid, rollcall] = await Promise.all([workerPid(), readiness()]);
  stdout.write(`HAProxy answers, worker ${pid}. Rollcall: ${rollcall}\n`);
} catch (error) {
  stdout.write(`HAProxy does not answer on ${socketPath}: ${error.message}\n`);
  exit(1);
}

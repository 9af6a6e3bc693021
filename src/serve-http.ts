import type { Logger } from "./lib/logger.ts";
import type { Routes } from "./observe/answer.ts";
import { type HttpServer, startHttp } from "./observe/http.ts";
import type { Config } from "./options.ts";

/** What is to be said of an address that others reach, when there is no token. */
export const EXPOSED =
  "everybody who reaches this address can read the status and the metrics: set http-token-file, or let http be a loopback address";

/**
 * Serves these routes as the options say; null = they say off.
 * @throws Error when it cannot.
 */
export async function serveHttp(given: {
  config: Config;
  routes: Routes;
  log: Logger;
}): Promise<HttpServer | null> {
  const { config, routes, log } = given;
  if (config.http === null) return null;
  const [cert, key] = [config["http-cert"], config["http-key"]];
  const tls = cert === null || key === null ? null : { cert, key };
  const token = config["http-token-file"];
  const server = await startHttp({ ...config.http, routes, log, tokenFile: token, tls });
  const { address } = server;
  log.info(
    { address, tls: tls !== null, token: token !== null },
    "serving /readyz, /metrics and /api/status",
  );
  if (!server.isLocal && token === null) log.warn({ address }, EXPOSED);
  return server;
}

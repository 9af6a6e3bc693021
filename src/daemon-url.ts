import { hostPort } from "./core/server.ts";
import type { Config } from "./options.ts";

/**
 * Where a daemon with these options is asked from this machine.
 * @throws Error when it has no address.
 */
export function daemonUrl(config: Pick<Config, "http" | "http-cert">): string {
  const { http } = config;
  if (http === null) {
    throw new Error(
      "the option http is off, so a daemon with these options cannot be asked; set it to an address and start the daemon anew, or name another daemon with --url",
    );
  }
  // One that listens on all addresses is asked on this machine.
  const address = http.host === "::" || http.host === "0.0.0.0" ? "127.0.0.1" : http.host;
  return `${config["http-cert"] === null ? "http" : "https"}://${hostPort({ address, port: http.port })}`;
}

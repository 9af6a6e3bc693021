import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";

/**
 * Names of servers and backends. Narrower than what HAProxy takes (which also has ":" and knows no limit), so that a
 * name is safe in the configuration, on the runtime socket, in a key and in a metric.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** `what` begins the reason: "server name", "backend". */
export function parseName(what: string, text: string): Result<string> {
  if (NAME.test(text)) return accept(text);
  return refuse(
    `${what} ${quote(text)} is not allowed: 1 to 63 letters, digits, "_", "." or "-", the first a letter or digit`,
  );
}

/** `text` made into a name: what is not allowed in one becomes a hyphen; null when nothing is left of it. */
export function fitName(text: string): string | null {
  const fit = text
    .slice(0, 256)
    .replace(/[^A-Za-z0-9_.-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 63);
  return fit === "" ? null : fit;
}

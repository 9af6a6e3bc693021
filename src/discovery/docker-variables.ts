import type { ForeignTools } from "../core/foreign-tools.ts";
import { FOREIGN_LIMITS, isNginxProxyWord, isRegistratorWord } from "../core/foreign-words.ts";

/** Variables of a container; null = it is gone, "forbidden" = a proxy in front of the engine refuses inspections. */
export type Variables = ReadonlyMap<string, string> | null | "forbidden";

/**
 * The variables in an inspection's answer that are words of these tools, and no more of them than are read: everything
 * else is somebody's secret. Cut so that what is too long still is too long.
 */
export function parseVariables(answer: unknown, tools: ForeignTools): ReadonlyMap<string, string> {
  const { Config } = answer as { Config?: { Env?: unknown } };
  const found = new Map<string, string>();
  for (const line of Array.isArray(Config?.Env) ? Config.Env : []) {
    if (typeof line !== "string") continue;
    const equals = line.indexOf("=");
    const name = line.slice(0, Math.min(equals, FOREIGN_LIMITS.nameLength + 1));
    const isWord =
      (tools.registrator && isRegistratorWord(name)) || (tools.nginxProxy && isNginxProxyWord(name));
    if (equals < 1 || !isWord || found.size > FOREIGN_LIMITS.words) continue;
    found.set(name, line.slice(equals + 1, equals + 2 + FOREIGN_LIMITS.valueLength));
  }
  return found;
}

import type { ConfigSection } from "./haproxy-config.ts";

/**
 * Where HAProxy looks for its servers' states when it starts with this configuration: an absolute path. Null when it
 * looks nowhere, when each proxy has a file of its own (`local`), or when only HAProxy knows where: the path is
 * relative to HAProxy's working directory, or from its environment. With `zero-warning` HAProxy refuses a file in which
 * a server is down (measured on 2.6, 3.0 and 3.2), so that there must be none.
 */
export function serverStatePath(sections: readonly ConfigSection[]): string | null {
  const isLoaded = sections.some(({ lines }) =>
    lines.some(({ words }) => words[0] === "load-server-state-from-file" && words[1] === "global"),
  );
  const file = globalLine(sections, "server-state-file")?.[1] ?? null;
  if (!isLoaded || file === null || globalLine(sections, "zero-warning") !== null) return null;
  const base = globalLine(sections, "server-state-base")?.[1] ?? null;
  const path = file.startsWith("/") || base === null ? file : `${base.replace(/\/$/, "")}/${file}`;
  return path.startsWith("/") && !path.includes("$") ? path : null;
}

function globalLine(sections: readonly ConfigSection[], keyword: string): readonly string[] | null {
  const lines = sections
    .filter((section) => section.keyword === "global")
    .flatMap((section) => section.lines);
  return lines.find(({ words }) => words[0] === keyword)?.words ?? null;
}

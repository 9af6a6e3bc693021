import { durationText } from "./duration.ts";
import { accept, refuse, type Result } from "./result.ts";
import { MAX_VALUE_BYTES, parseServerValue } from "./server-value.ts";
import { type Check, hostPort, type Route, type ServerFields } from "./server.ts";

/**
 * A server as a value in the registry, the inverse of `parseServerValue`: `HOST:PORT`, with words behind it if there
 * is more to say, and JSON where words cannot say it. Refused when it would be too long; room for `state=drain` is
 * kept, so that whatever was written once can be drained.
 */
export function serverText(fields: ServerFields): Result<string> {
  const text = shortText(fields);
  const { length } = shortText({ ...fields, state: "drain" });
  if (length <= MAX_VALUE_BYTES) return accept(text);
  return refuse(
    `its value would be ${length} bytes long, and ${MAX_VALUE_BYTES} is the most: say less in meta, tags or routes`,
  );
}

/**
 * The same stored value with `state=drain`; a server in maintenance stays there, since it takes even less.
 * @returns null when the value cannot be read.
 */
export function drainedText(text: string): string | null {
  const fields = parseServerValue(text);
  if (!fields.ok) return null;
  const { state } = fields.value;
  const drained = serverText({ ...fields.value, state: state === "ready" ? "drain" : state });
  return drained.ok ? drained.value : null;
}

/** Whether a stored value asks for no new connections; not so when it cannot be read. */
export function isDrained(text: string): boolean {
  const fields = parseServerValue(text);
  return fields.ok && fields.value.state !== "ready";
}

const shortText = (fields: ServerFields): string => wordsText(fields) ?? jsonText(fields);

/** null = words cannot say it. */
function wordsText(fields: ServerFields): string | null {
  const { weight, backup, maxconn, state, check, tags, routes } = fields;
  const meta = Object.entries(fields.meta);
  if (routes.length > 1 || meta.some(([, value]) => value === "" || value.includes(" "))) return null;
  const [route] = routes;
  const words = [
    ["weight", weight],
    ["backup", backup ? "" : null],
    ["maxconn", maxconn],
    ...checkWords(check),
    ["state", state === "ready" ? null : state],
    ["host", route?.host ?? null],
    ["path", route?.path ?? null],
    ["tags", tags.length === 0 ? null : tags.join(",")],
    ...meta.map(([key, value]) => [`meta.${key}`, value] as const),
  ] as const;
  const given = words.filter(([, value]) => value !== null);
  return [hostPort(fields), ...given.map(([name, value]) => (value === "" ? name : `${name}=${value}`))].join(
    " ",
  );
}

function checkWords(check: Check | false): readonly (readonly [string, string | number | null])[] {
  if (check === false) return [["check", "off"]];
  const { path, intervalMs, rise, fall } = check;
  return [
    ["check", path],
    ["interval", intervalMs === null ? null : durationText(intervalMs)],
    ["rise", rise],
    ["fall", fall],
  ];
}

/** What is as by default is left out. */
function jsonText(fields: ServerFields): string {
  const { weight, backup, maxconn, state, tags, meta, routes } = fields;
  const [only] = routes;
  return JSON.stringify({
    address: hostPort(fields),
    weight: weight ?? undefined,
    backup: backup || undefined,
    maxconn: maxconn ?? undefined,
    state: state === "ready" ? undefined : state,
    check: jsonCheck(fields.check),
    tags: tags.length === 0 ? undefined : tags,
    meta: Object.keys(meta).length === 0 ? undefined : meta,
    ...(routes.length > 1 ? { routes: routes.map(jsonRoute) } : only === undefined ? {} : jsonRoute(only)),
  });
}

const jsonRoute = ({ host, path }: Route) => ({ host: host ?? undefined, path: path ?? undefined });

function jsonCheck(check: Check | false) {
  if (check === false) return false;
  const { path, intervalMs, rise, fall } = check;
  if (path === null && intervalMs === null && rise === null && fall === null) return undefined;
  return {
    path: path ?? undefined,
    interval: intervalMs === null ? undefined : durationText(intervalMs),
    rise: rise ?? undefined,
    fall: fall ?? undefined,
  };
}

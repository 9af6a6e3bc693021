import { parseHost, parsePort, quote } from "./core/address.ts";
import { parseDuration } from "./core/duration.ts";
import { parseName } from "./core/names.ts";
import { accept, refuse, type Result } from "./core/result.ts";
import { parseBoolean } from "./core/server-fields.ts";

/** How the text of an option becomes its value, and what to call it in the help. */
export interface OptionType<T> {
  /** Shown after the flag: `--http ADDRESS`. */
  readonly shown: string;
  parse(text: string): Result<T>;
}

const type = <T>(shown: string, parse: (text: string) => Result<T>): OptionType<T> => ({ shown, parse });

export const text = type("TEXT", (given) => (given === "" ? refuse("it is empty") : accept(given)));
export const path = type("PATH", (given) => (given === "" ? refuse("it is empty") : accept(given)));
export const duration = type("TIME", parseDuration);
/** A duration of whole seconds, at least two of them: an etcd lease knows nothing shorter. In milliseconds. */
export const seconds = type("TIME", (given): Result<number> => {
  const parsed = parseDuration(given);
  if (!parsed.ok || (parsed.value >= 2000 && parsed.value % 1000 === 0)) return parsed;
  return refuse(`${quote(given)} is not a number of whole seconds, two or more`);
});
export const backendName = type("NAME", (given) => parseName("backend", given));
export const serverName = type("NAME", (given) => parseName("name", given));
/** `auto`, `container`, `host`, or an address or name of this host. */
export const agentAddress = type("auto|container|host|ADDRESS", (given) =>
  given === "auto" || given === "container" || given === "host" ? accept(given) : parseHost(given),
);
export const onOff = type("on|off", parseBoolean);
export const pid = type("PID", (given): Result<number> =>
  /^[1-9][0-9]{0,9}$/.test(given) ? accept(Number(given)) : refuse(`${quote(given)} is not a pid`),
);

export const choice = <const T extends string>(...allowed: readonly T[]): OptionType<T> =>
  type(allowed.join("|"), (given) => {
    const found = allowed.find((one) => one === given);
    return found === undefined ? refuse(`${quote(given)} is none of ${allowed.join(", ")}`) : accept(found);
  });

/** Turns another type into one that also knows `off`, which is null. */
export const orOff = <T>(other: OptionType<T>): OptionType<T | null> =>
  type(`${other.shown}|off`, (given): Result<T | null> =>
    given === "off" ? accept(null) : other.parse(given),
  );

/** A list with commas, or a YAML sequence; each entry is parsed by `other`. */
export const list = <T>(other: OptionType<T>): OptionType<readonly T[]> =>
  type(`${other.shown},…`, (given): Result<readonly T[]> => {
    const values: T[] = [];
    for (const part of given.split(",").map((one) => one.trim())) {
      const parsed = other.parse(part);
      if (!parsed.ok) return parsed;
      values.push(parsed.value);
    }
    return accept(values);
  });

const ETCD_PORT = "2379";

/** `http://HOST:PORT`; the port is etcd's when none is given. */
export const httpUrl = type("URL", (given): Result<string> => {
  // First of all, since it must not be repeated.
  if (given.includes("@")) return refuse("a password does not belong into a URL");
  const url = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    return refuse(`${quote(given)} is not a URL like http://127.0.0.1:2379`);
  }
  // The parser forgets a port that is the scheme's own; etcd has another one.
  const [, port = ETCD_PORT] =
    /^[^/]*\/\/[^/]*:([0-9]+)\/*$/.exec(given.includes("://") ? given : `http://${given}`) ?? [];
  return accept(`${url.protocol}//${url.hostname}:${Number(port)}`);
});

export const keyPrefix = type("KEY", (given): Result<string> =>
  /^\/[\x21-\x7e]*$/.test(given)
    ? accept(given.endsWith("/") ? given : `${given}/`)
    : refuse(`${quote(given)} is not a key prefix like /app/servers/`),
);

/** `127.0.0.1:8405`, `[::1]:8405`, or `*:8405` for all addresses. */
export const listenAddress = type("ADDRESS", (given): Result<{ host: string; port: number }> => {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]+)$/.exec(given);
  if (parts === null) return refuse(`${quote(given)} is not ADDRESS:PORT like 127.0.0.1:8405`);
  const port = parsePort(parts[3] ?? "");
  if (!port.ok) return port;
  const host = parts[1] ?? parts[2] ?? "";
  if (host === "*" || host === "0.0.0.0" || host === "::") {
    return accept({ host: host === "*" ? "::" : host, port: port.value });
  }
  const parsed = parseHost(host);
  return parsed.ok ? accept({ host: parsed.value, port: port.value }) : parsed;
});

import * as types from "./option-types.ts";
import type { OptionType } from "./option-types.ts";

/**
 * One option of Rollcall: flag `--NAME`, variable `ROLLCALL_NAME` (upper case, `_` for `-`), and `NAME:` in
 * rollcall.yaml are the same thing; flags win over variables, variables over the file.
 */
export interface Option<T> {
  readonly type: OptionType<T>;
  /** As an operator would write it; null = not set. */
  readonly default: string | null;
  readonly help: string;
  /** A variable that other programs use for the same, read when no other says anything. */
  readonly alias?: string;
}

const withDefault = <T>(type: OptionType<T>, initial: string, help: string): Option<T> => ({
  type,
  default: initial,
  help,
});
const optional = <T>(type: OptionType<T>, help: string, alias?: string): Option<T | null> => ({
  type,
  default: null,
  help,
  ...(alias === undefined ? {} : { alias }),
});

/** All options, in the order of the help. Their names are promises to users. */
export const OPTIONS = {
  "etcd-endpoints": withDefault(
    types.orOff(types.list(types.httpUrl)),
    "http://127.0.0.1:2379",
    "etcd members to read servers from; off = no etcd",
  ),
  "etcd-prefix": withDefault(
    types.keyPrefix,
    "/app/servers/",
    "keys below it are servers: NAME or BACKEND/NAME",
  ),
  "etcd-overrides-prefix": withDefault(
    types.keyPrefix,
    "/app/overrides/",
    "keys below it set drain, maint, ready or weight=N for servers that others registered",
  ),
  watch: optional(types.list(types.keyPrefix), "further key prefixes, for templates"),
  "etcd-username": optional(types.text, "user name for etcd"),
  "etcd-password-file": optional(types.path, "file with that user's password"),
  "etcd-ca": optional(types.path, "certificate authority (PEM) of etcd's certificate"),
  "etcd-cert": optional(types.path, "client certificate (PEM) for etcd"),
  "etcd-key": optional(types.path, "private key (PEM) of that certificate"),
  docker: withDefault(
    types.choice("auto", "on", "off"),
    "auto",
    "follow the containers of a Docker engine; auto = if its socket is there",
  ),
  "docker-host": optional(
    types.text,
    "where the engine listens: unix:///path or tcp://host:port",
    "DOCKER_HOST",
  ),
  "docker-tls-verify": optional(
    types.onOff,
    "TLS to the engine, with certificates checked",
    "DOCKER_TLS_VERIFY",
  ),
  "docker-cert-path": optional(
    types.path,
    "folder with ca.pem, cert.pem and key.pem for it",
    "DOCKER_CERT_PATH",
  ),
  "docker-enable-default": withDefault(types.onOff, "off", "serve containers that have no enable label"),
  "label-prefix": withDefault(types.text, "rollcall", "prefix of container labels"),
  network: optional(
    types.text,
    "network whose addresses are taken; default: the one shared with the load balancer",
  ),
  "static-file": optional(types.path, "YAML file of servers, NAME or BACKEND/NAME: value"),
  template: optional(types.path, "template of haproxy.cfg; default: the one that comes with Rollcall"),
  "default-backend": withDefault(types.backendName, "webserver", "backend of servers that name none"),
  "revision-line": withDefault(
    types.onOff,
    "on",
    'add description "rev=… text=…" to the rendered global section',
  ),
  "haproxy-config": withDefault(types.path, "/etc/haproxy/haproxy.cfg", "the file that HAProxy reads"),
  "haproxy-socket": withDefault(
    types.path,
    "/run/haproxy/admin.sock",
    "stats socket of HAProxy's worker, level admin",
  ),
  "haproxy-master-socket": optional(types.path, "socket of HAProxy's master (-S); default: reload by SIGHUP"),
  "haproxy-pid-file": optional(types.path, "file with the master's pid; default: the parent of the worker"),
  "haproxy-pid": optional(types.pid, "the master's pid"),
  "haproxy-bin": withDefault(types.path, "haproxy", "the program that checks configurations"),
  "reload-interval": withDefault(types.duration, "1s", "shortest time between two reloads"),
  admit: withDefault(
    types.choice("now", "checked"),
    "now",
    "when a new server takes traffic: at once, or after HAProxy's first good check",
  ),
  "removal-timeout": withDefault(
    types.duration,
    "5m",
    "how long sessions of a removed server may go on before they are ended",
  ),
  "start-timeout": withDefault(
    types.duration,
    "15s",
    "how long to wait at the start for sources that do not answer",
  ),
  http: withDefault(
    types.orOff(types.listenAddress),
    "127.0.0.1:8405",
    "where /livez, /readyz, /metrics and /api/status are served",
  ),
  "log-level": withDefault(types.choice("debug", "info", "warn", "error"), "info", "what is logged"),
  "log-format": withDefault(types.choice("json", "text"), "json", "JSON lines, or text for people"),
} as const;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

type ValueOf<O> = O extends Option<infer T> ? T : never;
/** The value of every option, by its name. */
export type Config = { readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> };

/** `etcd-prefix` → `ROLLCALL_ETCD_PREFIX`. */
export const variableOf = (name: string): string => `ROLLCALL_${name.toUpperCase().replaceAll("-", "_")}`;

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
  "etcd-owners-prefix": withDefault(
    types.keyPrefix,
    "/app/owners/",
    "keys below it say which host registered a server; they go with that host's lease",
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
    "where the engine listens: unix:///path, tcp://host:port or ssh://user@host",
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
  "docker-swarm": withDefault(
    types.choice("off", "auto", "on"),
    "off",
    "follow the tasks of the engine's whole swarm, on all nodes; auto = if it is a manager",
  ),
  "docker-enable-default": withDefault(types.onOff, "off", "serve containers that have no enable label"),
  "label-prefix": withDefault(types.text, "rollcall", "prefix of container labels"),
  "registrator-labels": withDefault(
    types.onOff,
    "off",
    "read Registrator's SERVICE_… labels and environment variables of containers too",
  ),
  "nginx-proxy-labels": withDefault(
    types.onOff,
    "off",
    "read nginx-proxy's VIRTUAL_… labels and environment variables of containers too",
  ),
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
  "host-name": optional(
    types.serverName,
    "register: name of this host in etcd, each host another one; default: the machine's",
  ),
  address: withDefault(
    types.agentAddress,
    "auto",
    "register: where other hosts reach the containers: auto, container (at their own addresses), host, or this host's address",
  ),
  "server-names": withDefault(
    types.choice("service", "host"),
    "service",
    "register: servers are called SERVICE-N, or HOST-SERVICE-N",
  ),
  "lease-ttl": withDefault(
    types.seconds,
    "15s",
    "register: without a sign of life for so long the host's servers vanish from etcd; whole seconds, at least 2s",
  ),
  "on-exit": withDefault(
    types.choice("withdraw", "leave"),
    "withdraw",
    "register: what becomes of the host's servers when the agent ends: drained and taken out, or left for a successor",
  ),
  hold: withDefault(
    types.orOff(types.duration),
    "15m",
    "how long servers that vanished from etcd are served on while HAProxy's checks see them up; off = not at all",
  ),
  "start-timeout": withDefault(
    types.duration,
    "15s",
    "how long to wait at the start for sources that do not answer",
  ),
  "state-dir": optional(
    types.path,
    "folder of what is remembered: the sources' last pictures, the history; default: nothing is remembered",
  ),
  http: withDefault(
    types.orOff(types.listenAddress),
    "127.0.0.1:8405",
    "where /livez, /readyz, /metrics and /api/status are served",
  ),
  "http-token-file": optional(
    types.path,
    "file with the token that all but /livez and /readyz need; rollcall status asks with it",
  ),
  "http-cert": optional(types.path, "certificate (PEM) for HTTPS in place of HTTP"),
  "http-key": optional(types.path, "private key (PEM) of that certificate"),
  "http-ca": optional(
    types.path,
    "rollcall status: certificate authority (PEM) of the daemon that --url names; default: the machine's",
  ),
  watchdog: withDefault(
    types.orOff(types.duration),
    "30s",
    "a daemon that hangs for so long ends itself, to be started again by whoever supervises it; off = it does not",
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

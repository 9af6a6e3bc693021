import { accept, refuse, type Result } from "../core/result.ts";
import { quote } from "../core/address.ts";

/** How to reach an engine, as the variables `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` say it. */
export interface DockerConnection {
  /**
   * `unix:///var/run/docker.sock`, a bare path, `tcp://HOST:PORT`, `ssh://USER@HOST:PORT/SOCKET` (all but the host may be
   * missing); undefined or empty = the usual socket.
   */
  readonly host?: string | undefined;
  /** Any text but the empty one = TLS. */
  readonly tlsVerify?: string | undefined;
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`. */
  readonly certPath?: string | undefined;
}

/** An engine's place. */
export type DockerEndpoint =
  | { readonly kind: "unix"; readonly path: string; readonly shown: string }
  | {
      readonly kind: "tcp";
      /** IPv6 without brackets. */
      readonly host: string;
      readonly port: number;
      /** Folder of the certificates; null = no TLS. */
      readonly certPath: string | null;
      readonly shown: string;
    }
  | {
      readonly kind: "ssh";
      readonly host: string;
      /** Null, for each of these = as ssh and docker choose. */
      readonly port: number | null;
      readonly user: string | null;
      /** The engine's socket on that host. */
      readonly socket: string | null;
      readonly shown: string;
    };

const DEFAULT_SOCKET = "/var/run/docker.sock";
const PORTS = { plain: 2375, tls: 2376 };

/** Reads a connection's texts; the reason of a refusal is for the operator who wrote them. */
export function parseDockerEndpoint(connection: DockerConnection): Result<DockerEndpoint> {
  const text = connection.host ?? "";
  if (text === "") return unix(DEFAULT_SOCKET);
  if (text.startsWith("/")) return unix(text);
  if (text.startsWith("unix://")) return unix(text.slice("unix://".length) || DEFAULT_SOCKET);
  if (text.startsWith("ssh://")) return ssh(text);
  const url = URL.parse(text);
  if (url === null || !["tcp:", "http:", "https:"].includes(url.protocol) || url.hostname === "") {
    return refuse(
      `DOCKER_HOST ${quote(text)} is not unix://PATH, a path, tcp://HOST:PORT or ssh://USER@HOST`,
    );
  }
  return tcp(url, connection);
}

const unix = (path: string): Result<DockerEndpoint> => accept({ kind: "unix", path, shown: path });

function tcp(url: URL, connection: DockerConnection): Result<DockerEndpoint> {
  const { tlsVerify = "", certPath = "" } = connection;
  const usesTls =
    tlsVerify !== "" || url.protocol === "https:" || (certPath !== "" && url.protocol === "tcp:");
  if (usesTls && certPath === "") {
    return refuse(
      "TLS to the Docker engine needs DOCKER_CERT_PATH: the folder with ca.pem, cert.pem, key.pem",
    );
  }
  const defaultPort = url.protocol === "tcp:" ? (usesTls ? PORTS.tls : PORTS.plain) : usesTls ? 443 : 80;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? defaultPort : Number(url.port);
  return accept({
    kind: "tcp",
    host,
    port,
    certPath: usesTls ? certPath : null,
    shown: `${url.hostname}:${port}`,
  });
}

/** Host and user become arguments of ssh, and the socket one of a shell on the other side: no odd characters. */
const SSH = /^ssh:\/\/(?:([\w.][\w.-]*)@)?([\w.][\w.-]*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(\/[\w./-]*)?$/;

function ssh(text: string): Result<DockerEndpoint> {
  const parts = SSH.exec(text);
  if (parts === null) {
    return refuse(
      `DOCKER_HOST ${quote(text)} is not ssh://USER@HOST:PORT/SOCKET (all but HOST may be missing; ssh takes keys, no password)`,
    );
  }
  const [, user = null, bracketed = "", port, path = "/"] = parts;
  return accept({
    kind: "ssh",
    host: bracketed.replace(/^\[(.*)\]$/, "$1"),
    port: port === undefined ? null : Number(port),
    user,
    socket: path === "/" ? null : path,
    shown: text,
  });
}

/** Whether the engine runs on the machine that this process sees as its own. */
export function isLocalEndpoint(endpoint: DockerEndpoint): boolean {
  return endpoint.kind === "unix" || /^(?:localhost|::1|127(?:\.[0-9]+){3})$/.test(endpoint.host);
}

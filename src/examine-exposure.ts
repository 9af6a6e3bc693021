import { stat } from "node:fs/promises";
import { isLoopback } from "./core/container-address.ts";
import { bad, type Finding, good, warning } from "./core/finding.ts";
import { hostPort } from "./core/server.ts";
import { messageOf } from "./lib/errors.ts";
import { readTls } from "./observe/tls-files.ts";
import { readToken } from "./observe/token-file.ts";
import type { Config, OptionName } from "./options.ts";
import { EXPOSED } from "./serve-http.ts";

/** Options that name a file with a secret. */
const SECRETS = ["etcd-password-file", "etcd-key", "http-token-file", "http-key"] as const;

/** Looks at who may read the status, the files with secrets, and the password on its way to etcd. */
export async function examineExposure(config: Config): Promise<readonly Finding[]> {
  const readable = await Promise.all(SECRETS.map((name) => readableByAll(name, config[name])));
  return [
    ...(await httpFindings(config)),
    ...readable.filter((one) => one !== null),
    ...openPassword(config),
  ];
}

async function httpFindings(config: Config): Promise<readonly Finding[]> {
  const { http, "http-token-file": tokenFile, "http-cert": cert, "http-key": key } = config;
  if (http === null) return [good("http", "off")];
  const token = tokenFile === null ? null : await readToken(tokenFile);
  const wrong = token === null || token.ok ? [] : [bad("http", token.reason)];
  if (cert !== null && key !== null) {
    const trouble = await readTls({ cert, key }).then(() => null, messageOf);
    if (trouble !== null) wrong.push(bad("http", trouble));
  }
  if (wrong.length > 0) return wrong;
  const at = `${hostPort({ address: http.host, port: http.port })}${cert === null ? "" : " (HTTPS)"}`;
  if (token !== null) return [good("http", `served on ${at}, to those who have the token`)];
  return isLoopback(http.host) || http.host === "localhost"
    ? [good("http", `served on ${at}, to this machine`)]
    : [warning("http", `served on ${at}: ${EXPOSED}`)];
}

/** A file that cannot be seen is a finding of whoever needs it. */
async function readableByAll(option: OptionName, path: string | null): Promise<Finding | null> {
  const found = path === null ? null : await stat(path).catch(() => null);
  if (path === null || found === null || (found.mode & 0o004) === 0) return null;
  return warning(option, `every user of this machine can read ${path}: chmod o-r ${path}`);
}

/** etcd has the password from us at each login. */
function openPassword(config: Config): readonly Finding[] {
  const isOpen = (endpoint: string): boolean => {
    const { protocol, hostname } = new URL(endpoint);
    return protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, "")) && hostname !== "localhost";
  };
  const open = config["etcd-password-file"] === null ? [] : (config["etcd-endpoints"] ?? []).filter(isOpen);
  return open.map((endpoint) =>
    warning(
      "etcd-password-file",
      `the password goes to ${endpoint} in the clear: let the endpoint be https://`,
    ),
  );
}

import { readFile } from "node:fs/promises";
import { SourceError } from "../lib/errors.ts";
import type { EtcdTls } from "./channel.ts";
import type { EtcdAccess } from "./access.ts";

/**
 * Where `endpoint` is, and the certificates for it, read from their files now.
 * @throws SourceError when they do not fit each other, or a file cannot be read.
 */
export async function readTarget(
  endpoint: string,
  access: EtcdAccess,
): Promise<{ host: string; tls: EtcdTls | null }> {
  const [, scheme = "", host = ""] = /^(?:(https?):\/\/)?([^/\s]+:[0-9]+)\/?$/.exec(endpoint) ?? [];
  if (host === "") throw new SourceError("the endpoint is not http://HOST:PORT or https://HOST:PORT");
  const { caFile, certFile, keyFile } = access;
  if (scheme !== "https") {
    const given = caFile ?? certFile ?? keyFile;
    if (given === undefined) return { host, tls: null };
    throw new SourceError(`there are certificates (${given}), but the endpoint does not begin with https://`);
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new SourceError("a client certificate needs both a certificate and a key");
  }
  const read = async (what: string, path: string | undefined): Promise<Buffer | null> =>
    path === undefined ? null : readSecret(what, path);
  const [ca, cert, key] = [
    await read("CA", caFile),
    await read("certificate", certFile),
    await read("key", keyFile),
  ];
  return { host, tls: { ca, cert, key } };
}

/** @param what names the file in the error. */
export async function readSecret(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SourceError(`the ${what} file cannot be read`, { cause });
  }
}

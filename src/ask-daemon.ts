import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { daemonUrl } from "./daemon-url.ts";
import { messageOf } from "./lib/errors.ts";
import { askStatus, type StatusAnswer, type StatusAsk } from "./observe/ask-status.ts";
import { readToken } from "./observe/token-file.ts";
import type { Config } from "./options.ts";

/**
 * Asks a daemon for its status, with the token of these options.
 * @param ask.url of some daemon; null = the one with these options, on this machine.
 * @throws Error saying what is wrong, and what to do.
 */
export async function askDaemon(ask: {
  config: Config;
  url: string | null;
  signal: AbortSignal;
}): Promise<StatusAnswer & { url: string }> {
  const { config, signal } = ask;
  const url = ask.url ?? daemonUrl(config);
  const tls = ask.url === null ? await ownTls(config) : await foreignTls(config);
  const token = await tokenOf(config["http-token-file"]);
  return { url, ...(await askStatus({ url, token, tls, signal })) };
}

async function tokenOf(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const token = await readToken(path);
  if (!token.ok) throw new Error(`http-token-file: ${token.reason}`);
  return token.value;
}

type Tls = NonNullable<StatusAsk["tls"]>;

/** Our own certificate is known, so that no other will do; it need not be made for a loopback address. */
async function ownTls(config: Config): Promise<Tls> {
  if (config["http-cert"] === null) return {};
  const own = await textOf("http-cert", config["http-cert"]);
  const { fingerprint256 } = new X509Certificate(own);
  return {
    ca: own,
    allowPartialTrustChain: true,
    checkServerIdentity: (_, found) =>
      found.fingerprint256 === fingerprint256
        ? undefined
        : new Error("its certificate is not the one in http-cert"),
  };
}

const foreignTls = async (config: Config): Promise<Tls> =>
  config["http-ca"] === null ? {} : { ca: await textOf("http-ca", config["http-ca"]) };

async function textOf(option: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`${option} cannot be read: ${messageOf(cause)}`, { cause });
  });
}

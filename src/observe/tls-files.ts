import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { createSecureContext } from "node:tls";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { watchFile } from "../lib/watch-file.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Certificate and key for a server. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2";
}

/** @throws Error when they cannot be read, or do not belong together. */
export async function readTls(files: TlsFiles): Promise<TlsPair> {
  try {
    const [cert, key] = await Promise.all([readFile(files.cert, "utf8"), readFile(files.key, "utf8")]);
    const pair = { cert, key, minVersion: "TLSv1.2" } as const;
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new Error(`the certificate ${files.cert} and the key ${files.key} cannot be used`, { cause });
  }
}

/** Takes new files for new connections, until `signal` aborts; while they are no pair, the old ones go on. */
export function followTls(
  server: Pick<Server, "setSecureContext">,
  given: { files: TlsFiles; pair: TlsPair; log: Logger; signal: AbortSignal },
): void {
  const { files, log, signal } = given;
  let current = given.pair;
  const renew = async (): Promise<void> => {
    try {
      const pair = await readTls(files);
      if (pair.cert === current.cert && pair.key === current.key) return;
      server.setSecureContext(pair);
      current = pair;
      log.info({ cert: files.cert }, "the HTTP server has a new certificate");
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "the HTTP server goes on with its old certificate");
    }
  };
  for (const path of [files.cert, files.key]) watchFile(path, () => void renew(), { signal });
  // What came between the first reading and the watching.
  void renew();
}

import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { accept, refuse, type Result } from "../core/result.ts";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";

/** The token that a request must bear. It is in its file and nowhere else: what is written there counts at once. */
export interface TokenFile {
  /**
   * Says whether the value of a request's `authorization` header is `Bearer TOKEN`; `unknown`: the file has no token
   * at the moment, which is logged.
   */
  judge(authorization: string | undefined): Promise<"right" | "wrong" | "unknown">;
}

/** What fits in a header as a bearer token (RFC 6750). Fewer characters could be guessed. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,1024}=*$/;

/**
 * @param path of the file; white space around the token does not count.
 * @throws Error when there is no good token in it, saying what to do.
 */
export async function tokenFile(path: string, log: Logger): Promise<TokenFile> {
  const first = await readToken(path);
  if (!first.ok) throw new Error(first.reason);
  let trouble: string | null = null;

  return {
    async judge(authorization) {
      const given = /^Bearer +([^ ]+) *$/i.exec(authorization ?? "")?.[1];
      if (given === undefined) return "wrong";
      const wanted = await readToken(path);
      const reason = wanted.ok ? null : wanted.reason;
      if (reason !== null && reason !== trouble) {
        log.warn({ reason }, "no request with a token can be judged, so none is answered");
      }
      trouble = reason;
      if (!wanted.ok) return "unknown";
      return isSame(given, wanted.value) ? "right" : "wrong";
    },
  };
}

/** The token in a file, or what is wrong with it. */
export async function readToken(path: string): Promise<Result<string>> {
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (TOKEN.test(token)) return accept(token);
  } catch (error) {
    return refuse(`the token file cannot be read: ${messageOf(error)}`);
  }
  return refuse(
    `${path} has no token of 16 or more letters, digits and ._~+/-: make one with "openssl rand -hex 32"`,
  );
}

/** The time that it takes tells nothing of how much is right. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

import { SourceError } from "../lib/errors.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { dockerError } from "./docker-error.ts";

/** Makes one call; throws `SourceError` when it fails, takes too long, or `signal` aborts. */
export type DockerCall = <T>(options: {
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
  attempt: (abortSignal: AbortSignal) => Promise<T>;
}) => Promise<T>;

/** The engine took too long over a call. */
export class DockerTimeout extends SourceError {}

/** What ssh may take to log in, in milliseconds; on a connection of its own before each call, unless one was kept. */
const LOGIN_MS = 10_000;

/**
 * Bounds a call in time. The promise is raced, not only aborted: dockerode never settles when a connection breaks in
 * the middle of a body.
 */
export function dockerCall(endpoint: DockerEndpoint): DockerCall {
  const loginMs = endpoint.kind === "ssh" ? LOGIN_MS : 0;
  return async ({ what, signal, attempt, ...given }) => {
    const timeoutMs = given.timeoutMs + loginMs;
    const giveUp = new AbortController();
    const ended = AbortSignal.any([signal, giveUp.signal]);
    const timer = setTimeout(() => {
      giveUp.abort(
        new DockerTimeout(
          `the Docker engine at ${endpoint.shown} did not answer within ${timeoutMs} ms (${what})`,
        ),
      );
    }, timeoutMs);
    const { promise: over, reject } = Promise.withResolvers<never>();
    const onEnded = (): void => reject(ended.reason);
    ended.addEventListener("abort", onEnded, { once: true });
    try {
      ended.throwIfAborted();
      return await Promise.race([attempt(ended), over]);
    } catch (thrown) {
      throw dockerError(ended.aborted ? ended.reason : thrown, endpoint);
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", onEnded);
    }
  };
}

import { resolve } from "node:path";
import type { Roster } from "../core/roster.ts";
import { messageOf } from "../lib/errors.ts";
import { type NameResolver, SYSTEM_RESOLVER } from "./name-lookup.ts";
import { RenderError } from "./render-error.ts";
import { dictionary, templateDataMaker } from "./template-data.ts";
import { templateEngine } from "./template-engine.ts";
import { templateFunctions } from "./template-functions.ts";

/** Options of the program that templates may know: `it.options`. */
export interface TemplateOptions {
  readonly defaultBackend: string;
  /** Path of HAProxy's runtime socket. */
  readonly haproxySocket: string;
  /** Absolute path of HAProxy's configuration. */
  readonly haproxyConfig: string;
}

/** Turns rosters into text by one template. The same roster, environment and template give the same bytes. */
export interface Renderer {
  /**
   * Renders the template as it is on the disk now.
   * @throws RenderError for whatever goes wrong, also when `signal` aborts.
   */
  render(roster: Roster, signal?: AbortSignal): Promise<string>;
  /** Absolute paths of the template and all files that the last render read or tried to read, for a watcher. */
  files(): readonly string[];
}

/** How long a render may take when nothing else is said. */
const TIMEOUT_MS = 10_000;

/**
 * A renderer for `templateFile`. After `timeoutMs` a render is given up; that bounds what a template awaits. An endless
 * loop in a template cannot be stopped, since it runs in this very thread.
 */
export function renderer(given: {
  templateFile: string;
  options: TemplateOptions;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now: () => number;
  timeoutMs?: number;
  resolver?: NameResolver;
}): Renderer {
  const file = resolve(given.templateFile);
  const env = dictionary(given.env);
  const options = Object.freeze({ ...given.options });
  const functions = templateFunctions({ env, now: given.now, resolver: given.resolver ?? SYSTEM_RESOLVER });
  const engine = templateEngine();
  const dataOf = templateDataMaker(options.defaultBackend);
  const timeoutMs = given.timeoutMs ?? TIMEOUT_MS;
  return {
    render: async (roster, signal) => {
      const it = Object.freeze({ ...functions(roster.keys), ...dataOf(roster), env, options });
      try {
        return await bounded({ work: engine.render(file, it), timeoutMs, signal });
      } catch (thrown) {
        if (thrown instanceof RenderError) throw thrown;
        throw new RenderError({ file, line: null, reason: messageOf(thrown) });
      }
    },
    files: () => [...new Set([file, ...engine.files()])],
  };
}

/** The result of `work`, or an error when it takes too long or `signal` aborts; `work` itself cannot be stopped. */
async function bounded<T>(given: {
  work: Promise<T>;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}): Promise<T> {
  const { work, timeoutMs, signal } = given;
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error("stopped before the template was rendered"));
  const tooLong = (): void => reject(new Error(`not rendered after ${timeoutMs} ms: it awaits something`));
  const timer = setTimeout(tooLong, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

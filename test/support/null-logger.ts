import type { Logger } from "../../src/lib/logger.ts";

/** A logger for tests that do not look at the log. */
export const nullLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => nullLogger,
};

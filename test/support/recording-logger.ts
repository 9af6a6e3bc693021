import type { LogFields, Logger } from "../../src/lib/logger.ts";

export interface LogLine extends LogFields {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** A logger that keeps its lines. */
export function recordingLogger(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const logger = (more: LogFields): Logger => {
    const line = (level: LogLine["level"]) => (fields: LogFields, message: string) =>
      void lines.push({ ...more, ...fields, level, message });
    return {
      debug: line("debug"),
      info: line("info"),
      warn: line("warn"),
      error: line("error"),
      child: (fields) => logger({ ...more, ...fields }),
    };
  };
  return { log: logger({}), lines };
}

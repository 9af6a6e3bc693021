import { pino } from "pino";
import type { Logger } from "../lib/logger.ts";
import { type LogSink, standardSink } from "./log-sink.ts";
import { textLine } from "./log-text.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** JSON lines, or text for people. */
  readonly format: "json" | "text";
  /** Where lines go; standard output when not given. */
  readonly destination?: LogSink;
}

/**
 * A logger that writes each line before it returns. In JSON: `level` as a word, `time` in ISO 8601, the fields,
 * `msg`; an error under the key `err` with its stack and its causes. pino's own destination falls silent for good
 * after the first broken pipe, so lines go to ours; how many were lost is told as soon as one gets through again.
 */
export function createLogger(options: LogOptions): Logger {
  const { level, format, destination = standardSink() } = options;
  let lost = 0;
  const write = (json: string): void => {
    if (!destination.write(format === "text" ? textLine(json) : json)) {
      lost++;
    } else if (lost > 0) {
      const lines = lost;
      lost = 0;
      logger.error({ lines }, "log lines were lost");
    }
  };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (thrown: unknown) => errorFields(thrown, MAX_CAUSES) },
    },
    { write },
  );
  return logger;
}

const MAX_CAUSES = 10;

/** No other fields of an error: those of libraries hold whole answers, and requests with their passwords. */
function errorFields(thrown: unknown, causes: number): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack = "", cause } = thrown;
  const code = "code" in thrown ? { code: thrown.code } : {};
  const rest = cause === undefined || causes === 0 ? {} : { cause: errorFields(cause, causes - 1) };
  return { type: name, message, ...code, stack, ...rest };
}

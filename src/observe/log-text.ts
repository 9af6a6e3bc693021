import { harmless } from "../lib/harmless.ts";
/**
 * One line of the JSON log for people: `HH:MM:SS.mmm LEVEL message key=value …`, in local time. A value is quoted when
 * it has spaces; control characters are escaped, so that what came from a registry can neither begin a new line nor
 * steer the terminal. Of an error only its messages are shown; its stack is in the JSON log.
 */
export function textLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const shown = Object.entries(fields).map(([key, value]) => `${harmless(key)}=${valueText(value)}`);
  const begin = `${clock(new Date(String(time)))} ${String(level).toUpperCase().padEnd(5)}`;
  return `${[begin, harmless(typeof msg === "string" ? msg : ""), ...shown].join(" ")}\n`;
}

function clock(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

function valueText(value: unknown): string {
  if (isError(value)) return valueText(messages(value));
  if (typeof value !== "string") return harmless(JSON.stringify(value));
  return /^[^\s"=]+$/.test(value) && harmless(value) === value ? value : harmless(JSON.stringify(value));
}

interface ErrorFields {
  readonly message: string;
  readonly stack: string;
  readonly cause?: unknown;
}

const isError = (value: unknown): value is ErrorFields =>
  typeof value === "object" && value !== null && "message" in value && "stack" in value;

function messages({ message, cause }: ErrorFields): string {
  if (cause === undefined) return message;
  const inner = typeof cause === "string" ? cause : isError(cause) ? messages(cause) : JSON.stringify(cause);
  return `${message}: ${inner}`;
}

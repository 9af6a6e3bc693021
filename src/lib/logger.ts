/** Fields beside a constant message. An error goes under the key `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The four levels that Rollcall uses; a pino logger fits. The message is constant, what varies is in `fields`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

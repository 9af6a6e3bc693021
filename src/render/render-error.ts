/**
 * A template could not be rendered. The message is complete: file, line where it is known, and what is wrong; there is
 * no `cause` beside it, which loggers would only print a second time.
 */
export class RenderError extends Error {
  override readonly name = "RenderError";
  /** Path of the template, or of the file that it includes. */
  readonly file: string;
  /** Counted from 1; null = not known. */
  readonly line: number | null;
  readonly reason: string;
  #included = false;

  constructor(given: { file: string; line: number | null; reason: string }) {
    super(`${given.file}${given.line === null ? "" : `:${given.line}`}: ${given.reason}`);
    this.file = given.file;
    this.line = given.line;
    this.reason = given.reason;
  }

  /** The same error, with the place that includes the broken file; of a chain of includes only the nearest is told. */
  includedFrom(file: string, line: number): RenderError {
    if (this.#included) return this;
    const reason = `${this.reason} (included from ${file}:${line})`;
    const error = new RenderError({ file: this.file, line: this.line, reason });
    error.#included = true;
    return error;
  }
}

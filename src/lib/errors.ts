/** Text of anything that was thrown, followed by the messages of its causes that it does not repeat itself. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message === "" ? thrown.name : thrown.message;
  const cause = thrown.cause === undefined ? "" : messageOf(thrown.cause);
  return cause === "" || own.includes(cause) ? own : `${own}: ${cause}`;
}

/** A source could not be read. The last picture of that source stays valid. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

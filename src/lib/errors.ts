/** Text of anything that was thrown, with the messages of its causes, outermost first. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message === "" ? thrown.name : thrown.message;
  return thrown.cause === undefined ? own : `${own}: ${messageOf(thrown.cause)}`;
}

/** A source could not be read. The last picture of that source stays valid. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

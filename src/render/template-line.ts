const TAG = /^__eta\.line=([0-9]+)$/;

/**
 * The template's line for a line (counted from 0) of `body`, which is what eta made of the template; null when that
 * belongs to no tag. Before the code of each tag eta writes `__eta.line=N`, and the code itself keeps its lines.
 */
export function templateLine(body: readonly string[], at: number): number | null {
  const tag = body.slice(0, at + 1).findLastIndex((line) => TAG.test(line));
  if (tag < 0) return null;
  return Number(TAG.exec(body[tag] ?? "")?.[1]) + Math.max(0, at - tag - 1);
}

/** Where the code of the last tag ends in `body`. */
export function endOfTags(body: readonly string[]): number {
  const last = body.findLastIndex((line) => TAG.test(line));
  return body.findIndex((line, index) => index > last && line.startsWith("if (__eta.layout)"));
}

/** The line in which the template's last tag begins; null when it has no tag. */
export function lastTagLine(body: readonly string[]): number | null {
  return templateLine(
    body,
    body.findLastIndex((line) => TAG.test(line)),
  );
}

/** The template's line in which `thrown` was thrown, for a tag of several lines; null when its stack does not tell. */
export function thrownLine(body: readonly string[], thrown: unknown): number | null {
  const frame = /<anonymous>:([0-9]+):[0-9]+/.exec((thrown instanceof Error && thrown.stack) || "");
  // JavaScript puts two lines of its own in front of a function's body, and counts from 1.
  return frame === null ? null : templateLine(body, Number(frame[1]) - 3);
}

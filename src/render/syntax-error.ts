import { compileFunction } from "node:vm";
import { endOfTags, lastTagLine, templateLine } from "./template-line.ts";

/** Where and why the JavaScript between a template's tags cannot be parsed. */
export interface SyntaxProblem {
  readonly line: number | null;
  readonly reason: string;
}

const SCRIPT = "rollcall-template.js";

/**
 * Finds what V8 has against `body`, which is what eta made of a template. `new Function`, which eta uses, does not
 * tell the line; this only parses, and runs nothing.
 */
export function syntaxProblem(body: readonly string[]): SyntaxProblem {
  try {
    compileFunction(`(async function(it,options){\n${body.join("\n")}\n})`, [], { filename: SCRIPT });
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return locate(thrown, body);
    throw thrown;
  }
  return { line: null, reason: "it is no valid template" };
}

function locate(error: SyntaxError, body: readonly string[]): SyntaxProblem {
  const found = new RegExp(`^${SCRIPT}:([0-9]+)`).exec(error.stack ?? "");
  // The wrapper's own line comes first, and lines count from 1.
  const at = found === null ? -1 : Number(found[1]) - 2;
  if (at >= endOfTags(body)) {
    const reason = "the template ends here, but a block that was opened with { was never closed with }";
    return { line: lastTagLine(body), reason };
  }
  // eta wraps the template in a `try`, which a brace too many closes.
  const closed = error.message.startsWith("Missing catch");
  const reason = closed ? "a tag closes a block with } that none opens" : error.message;
  return { line: templateLine(body, at), reason };
}

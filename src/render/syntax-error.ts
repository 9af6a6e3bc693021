import { Script } from "node:vm";

/** Where and why the JavaScript between a template's tags cannot be parsed. */
export interface SyntaxProblem {
  readonly line: number | null;
  readonly reason: string;
}

/**
 * Finds the template's line for a JavaScript error. `body` is what eta made of the template: before the code of each
 * tag it writes `__eta.line=N`, so that the tag in front of the error tells the line. V8 names a line only for a whole
 * script, hence the parsing (and no running) of one.
 */
export function syntaxProblem(body: string): SyntaxProblem {
  try {
    new Script(`(async function(it,options){\n${body}\n})`, { filename: SCRIPT });
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return locate(thrown, body.split("\n"));
    throw thrown;
  }
  return { line: null, reason: "it is no valid template" };
}

const SCRIPT = "rollcall-template.js";
const TAG = /^__eta\.line=([0-9]+)$/;

function locate(error: SyntaxError, body: readonly string[]): SyntaxProblem {
  const found = new RegExp(`^${SCRIPT}:([0-9]+)`).exec(error.stack ?? "");
  // The wrapper's own line comes first, and lines count from 1.
  const at = found === null ? -1 : Number(found[1]) - 2;
  const lastTag = body.findLastIndex((line) => TAG.test(line));
  const end = body.findIndex((line, index) => index > lastTag && line.startsWith("if (__eta.layout)"));
  if (at >= end && lastTag >= 0) {
    return { line: lineOf(body[lastTag]), reason: "a block that a tag opens with { is never closed with }" };
  }
  const tag = body.slice(0, at + 1).findLastIndex((line) => TAG.test(line));
  if (tag < 0) return { line: null, reason: error.message };
  return { line: lineOf(body[tag]) + Math.max(0, at - tag - 1), reason: error.message };
}

const lineOf = (line: string | undefined): number => Number(TAG.exec(line ?? "")?.[1]);

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Eta, EtaParseError, type EtaConfig, type Options, type TemplateFunction } from "eta";
import { messageOf } from "../lib/errors.ts";
import { printedText, rawText } from "./printed-text.ts";
import { RenderError } from "./render-error.ts";
import { syntaxProblem } from "./syntax-error.ts";
import { processTemplate } from "./template-syntax.ts";

/** Renders template files with eta. */
export interface TemplateEngine {
  /** Renders `file` as it is on the disk now. @throws RenderError for whatever goes wrong. */
  render(file: string, data: object): Promise<string>;
  /** The files that the last render read, or tried to read. */
  files(): readonly string[];
}

/**
 * eta, set up for plain text: nothing is escaped, no white space is eaten but what `processTemplate` says. A file is
 * read once a render, and compiled again when its text has changed, which needs no trust in clocks or file systems.
 */
export function templateEngine(): TemplateEngine {
  const eta = new Eta({
    autoEscape: false,
    autoTrim: false,
    autoFilter: true,
    filterFunction: printedText,
    escapeFunction: rawText, // Free, since nothing is escaped; what `printRaw` writes calls it.
    debug: true, // Makes eta count lines, at no cost that could be measured.
    plugins: [{ processTemplate }, { processAST: printRaw }],
  });
  const texts = new Map<string, string>();
  const compiled = new Map<string, { readonly text: string; readonly run: TemplateFunction }>();
  const compile = eta.compile.bind(eta);
  eta.resolvePath = resolvePath;
  eta.RuntimeErr = runtimeError;
  eta.readFile = (path) => {
    const text = texts.get(path);
    if (text !== undefined) return text;
    texts.set(path, ""); // Counts as read even when it cannot be: it is worth watching.
    texts.set(path, readTemplate(path));
    return texts.get(path) ?? "";
  };
  eta.compile = (text, options) => {
    const file = options?.filepath ?? "";
    const key = `${options?.async === true ? "async" : "sync"} ${file}`;
    const known = compiled.get(key);
    if (known?.text === text) return known.run;
    try {
      const run = compile(text, options);
      compiled.set(key, { text, run });
      return run;
    } catch (thrown) {
      throw parseError({ thrown, file, body: () => eta.compileToString(text, options) });
    }
  };
  return {
    render: async (file, data) => {
      texts.clear();
      return await eta.renderAsync(file, data);
    },
    files: () => [...texts.keys()],
  };
}

/** Relative to the including file; any folder is allowed, since a template is a program anyway. */
const resolvePath = (path: string, options?: Partial<Options>): string =>
  options?.filepath === undefined ? resolve(path) : resolve(dirname(options.filepath), path);

function readTemplate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new RenderError({ file: path, line: null, reason: messageOf(thrown) });
  }
}

type Ast = Parameters<NonNullable<EtaConfig["plugins"][number]["processAST"]>>[0];

/** `<%~ … %>` prints by `escapeFunction`, that is `rawText`; eta would send it through `filterFunction` as well. */
function printRaw(ast: Ast): Ast {
  return ast.map((node) =>
    typeof node === "string" || node.t !== "r"
      ? node
      : { ...node, t: "e", val: `__eta.res+=__eta.e(${node.val});` },
  );
}

/** eta calls this for whatever is thrown while a template runs; `text` is the template, `line` that of the tag. */
function runtimeError(thrown: unknown, text: string, line: number, file: string): never {
  if (thrown instanceof RenderError) throw thrown.includedFrom(file, line);
  const tag = (text.split("\n")[line - 1] ?? "").trim();
  throw new RenderError({ file, line, reason: `${messageOf(thrown)}, in: ${tag}` });
}

function parseError(given: { thrown: unknown; file: string; body: () => string }): unknown {
  const { thrown, file } = given;
  if (!(thrown instanceof EtaParseError)) return thrown;
  const where = /^(.*) at line ([0-9]+) col [0-9]+:/.exec(thrown.message);
  if (where === null) return new RenderError({ file, ...syntaxProblem(given.body()) });
  return new RenderError({ file, line: Number(where[2]), reason: where[1] ?? "" });
}

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Eta, EtaParseError, type EtaConfig, type Options, type TemplateFunction } from "eta";
import { messageOf } from "../lib/errors.ts";
import { printedText, rawText } from "./printed-text.ts";
import { RenderError } from "./render-error.ts";
import { syntaxProblem } from "./syntax-error.ts";
import { thrownLine } from "./template-line.ts";
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
    functionHeader: '"use strict";', // A misspelt assignment fails, rather than making a global variable.
    debug: true, // Makes eta count lines, at no cost that could be measured.
    plugins: [{ processTemplate }, { processAST: printRaw }],
  });
  const files = fileReader();
  const compile = eta.compile.bind(eta);
  const compiled = new Map<string, { readonly text: string; readonly run: TemplateFunction }>();
  const body = (text: string, filepath: string): string[] =>
    eta.compileToString(text, { filepath, async: true }).split("\n");
  eta.resolvePath = resolvePath;
  eta.readFile = files.read;
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
      throw parseError({ thrown, file, body: () => body(text, file) });
    }
  };
  // eta calls this for whatever is thrown while a template runs; `line` is that of the tag.
  eta.RuntimeErr = (thrown, text, line, file) => {
    if (thrown instanceof RenderError) throw thrown.includedFrom(file, line);
    throw runtimeError({ thrown, text, line, file, body: body(text, file) });
  };
  return {
    render: async (file, data) => {
      files.forget();
      return await eta.renderAsync(file, data);
    },
    files: files.names,
  };
}

/** Relative to the including file; any folder is allowed, since a template is a program anyway. */
const resolvePath = (path: string, options?: Partial<Options>): string =>
  options?.filepath === undefined ? resolve(path) : resolve(dirname(options.filepath), path);

/** Reads each file once, until it is told to forget. */
function fileReader(): { read(path: string): string; names(): readonly string[]; forget(): void } {
  const texts = new Map<string, string | null>();
  return {
    read: (path) => {
      const known = texts.get(path) ?? null;
      if (known !== null) return known;
      texts.set(path, null); // A file that cannot be read is worth watching, too.
      try {
        const text = readFileSync(path, "utf8");
        texts.set(path, text);
        return text;
      } catch (thrown) {
        throw new RenderError({ file: path, line: null, reason: messageOf(thrown) });
      }
    },
    names: () => [...texts.keys()],
    forget: () => texts.clear(),
  };
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

/** Quotes the line of the template, and finds it when the tag has several. */
function runtimeError(given: {
  thrown: unknown;
  text: string;
  line: number;
  file: string;
  body: readonly string[];
}): RenderError {
  const { thrown, text, file } = given;
  const line = Math.max(given.line, thrownLine(given.body, thrown) ?? 0);
  const code = (text.split("\n")[line - 1] ?? "").trim();
  return new RenderError({ file, line, reason: `${messageOf(thrown)}, in: ${code}` });
}

function parseError(given: { thrown: unknown; file: string; body: () => readonly string[] }): unknown {
  const { thrown, file } = given;
  if (!(thrown instanceof EtaParseError)) return thrown;
  const where = /^(.*) at line ([0-9]+) col [0-9]+:/.exec(thrown.message);
  if (where === null) return new RenderError({ file, ...syntaxProblem(given.body()) });
  return new RenderError({ file, line: Number(where[2]), reason: where[1] ?? "" });
}

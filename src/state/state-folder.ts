import { createHash } from "node:crypto";
import { access, constants, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { replaceFile } from "../lib/replace-file.ts";

/** A folder of what Rollcall remembers over its own end. Nothing in it is needed: without it, it begins anew. */
export interface StateFolder {
  readonly path: string;
  /**
   * What was written under this name; null = nothing, or nothing that can be read, which is logged. A file that is cut
   * off or was changed is moved aside, to `NAME.bad`; one of a later version of Rollcall is left where it is.
   * @param known what is returned in place of null when the file is there and the system does not let it be read.
   */
  read(name: string, known?: unknown): Promise<unknown>;
  /**
   * Replaces what is there.
   * @throws Error when it cannot be written.
   */
  write(name: string, value: unknown): Promise<void>;
}

/** Counts up when a reader of the number before would misunderstand what is written. */
const FORMAT = 1;
/** Keys and labels may hold what is nobody's business. */
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

/**
 * Opens the folder, and makes it if it is not there. On a disk that is read-only what is there can still be read.
 * @throws Error saying what to do.
 */
export async function openStateFolder(path: string, log: Logger): Promise<StateFolder> {
  try {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    await access(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`state-dir ${path} cannot be used: make it a folder that this user may write`, { cause });
  }
  const fileOf = (name: string): string => join(path, `${name}.json`);

  async function read(name: string, known: unknown = null): Promise<unknown> {
    const file = fileOf(name);
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      log.warn({ file, reason: messageOf(error) }, "state cannot be read");
      return known;
    }
    const content = contentOf(text);
    if (content.kind === "good") return content.value;
    log.warn({ file, reason: content.reason }, "state is not used, going on without it");
    if (content.kind === "bad") await rename(file, `${file}.bad`).catch(() => undefined);
    return null;
  }

  return {
    path,
    read,
    write: (name, value) => replaceFile(fileOf(name), fileText(value), { mode: FILE_MODE }),
  };
}

/** A line that describes the content, and the content, each JSON. */
function fileText(value: unknown): string {
  const content = JSON.stringify(value);
  return `${JSON.stringify({ format: FORMAT, sha256: digest(content) })}\n${content}\n`;
}

type Content =
  | { readonly kind: "good"; readonly value: unknown }
  | { readonly kind: "bad" | "later"; readonly reason: string };

function contentOf(text: string): Content {
  const end = text.indexOf("\n");
  const content = text.slice(end + 1, -1);
  try {
    const { format, sha256 } = JSON.parse(text.slice(0, end)) as { format: unknown; sha256: unknown };
    if (typeof format === "number" && format > FORMAT)
      return { kind: "later", reason: `it is of format ${format}, of a later version of Rollcall` };
    if (!text.endsWith("\n") || sha256 !== digest(content))
      return { kind: "bad", reason: "it is cut off, or was changed" };
    return { kind: "good", value: JSON.parse(content) as unknown };
  } catch {
    return { kind: "bad", reason: "it is cut off, or is none of Rollcall's" };
  }
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

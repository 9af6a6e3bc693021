import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { quote } from "../core/address.ts";
import { accept, refuse, type Result } from "../core/result.ts";
import { parseServerObject } from "../core/server-json.ts";
import { parseServerKey } from "../core/server-key.ts";
import { parseServerValue } from "../core/server-value.ts";
import type { Origin, Server, ServerFields } from "../core/server.ts";
import { snapshot, type Refusal, type Snapshot } from "../core/snapshot.ts";
import { dirtyFlag } from "../lib/dirty-flag.ts";
import { messageOf, SourceError } from "../lib/errors.ts";
import { watchFile } from "../lib/watch-file.ts";
import { yamlEntries, type YamlEntry } from "../lib/yaml.ts";
import type { Source } from "./source.ts";

export interface FileOptions {
  readonly path: string;
  readonly defaultBackend: string;
}

const SOURCE = "file";
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Servers from a file that people or tools write: a YAML mapping of `NAME` or `BACKEND/NAME` to the same values as in
 * the registry, or to mappings with the fields of their JSON form. One bad entry is quarantined; a file that cannot be
 * read, or is not such a mapping, breaks the source, and its last picture stands.
 */
export function fileSource(options: FileOptions): Source {
  return {
    name: SOURCE,
    run: async (publish, signal) => {
      const stop = new AbortController();
      const within = AbortSignal.any([signal, stop.signal]);
      const changed = dirtyFlag();
      try {
        watchFile(options.path, changed.poke, { signal: within });
        do {
          const picture = await readPicture(options);
          if (!signal.aborted) publish(picture);
        } while ((await changed.wait(within)) === "poked");
      } finally {
        stop.abort();
      }
    },
  };
}

/** @throws SourceError with the file, and the line where there is one. */
async function readPicture(options: FileOptions): Promise<Snapshot> {
  const { path } = options;
  try {
    const text = await readText(path);
    const revision = createHash("sha256").update(text).digest("hex").slice(0, 12);
    return pictureOf(yamlEntries(text, path), { ...options, revision });
  } catch (thrown) {
    throw new SourceError(messageOf(thrown));
  }
}

async function readText(path: string): Promise<string> {
  // What people give where they have no file.
  if (path === "/dev/null") return "{}";
  // The size is asked first: a device or a pipe has none, and would be read for ever.
  const found = await stat(path);
  if (!found.isFile()) throw new Error(`${path}: not a regular file`);
  if (found.size > MAX_BYTES) throw new Error(`${path}: larger than ${MAX_BYTES / 1024 ** 2} MiB`);
  const bytes = await readFile(path);
  if (!isUtf8(bytes)) throw new Error(`${path}: not UTF-8 text`);
  return bytes.toString("utf8");
}

function pictureOf(entries: readonly YamlEntry[], given: FileOptions & { revision: string }): Snapshot {
  const { revision } = given;
  const servers: Server[] = [];
  const quarantined: Refusal[] = [];
  for (const entry of entries) {
    const origin = { source: SOURCE, id: `${given.path}:${entry.line}`, revision };
    const server = parseEntry(entry, { origin, defaultBackend: given.defaultBackend });
    if (server.ok) servers.push(server.value);
    else quarantined.push({ origin, reason: `${quote(entry.key)}: ${server.reason}` });
  }
  return snapshot({ source: SOURCE, revision, servers, quarantined });
}

function parseEntry(
  { key, value }: YamlEntry,
  given: { origin: Origin; defaultBackend: string },
): Result<Server> {
  const target = parseServerKey({ key, prefix: "", defaultBackend: given.defaultBackend });
  if (!target.ok) return target;
  const fields = parseValue(value);
  if (!fields.ok) return fields;
  return accept({ ...target.value, ...fields.value, origin: given.origin, suffix: SOURCE });
}

function parseValue(value: unknown): Result<ServerFields> {
  if (typeof value === "string") return parseServerValue(value);
  if (typeof value === "object" && value !== null) return parseServerObject(value);
  return refuse("the value must be HOST:PORT or a mapping with the field address");
}

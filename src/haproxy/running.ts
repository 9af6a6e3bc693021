import { parseStamp, type Stamp } from "../core/stamp.ts";
import { ask } from "./socket.ts";

/** What the worker that answers on the socket says of itself (`show info`, management guide 9.3). */
export interface Info {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSec: number;
  /** True for a worker that was told to leave and still has connections. */
  readonly stopping: boolean;
  /** Which text it runs, by its description. */
  readonly stamp: Stamp;
}

/** A server as HAProxy has it at this moment (`show servers state`, management guide 9.3). */
export interface RunningServer {
  readonly backend: string;
  readonly name: string;
  /** IP literal, `-` for a server without a resolved address. */
  readonly address: string;
  readonly port: number;
}

/** Time for one answer of a healthy worker; a worker that is busy with 10,000 servers needs less than a second. */
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Asks the worker who it is.
 * @throws Error when it does not answer, or with something else than its info.
 */
export async function readInfo(socketPath: string, signal?: AbortSignal): Promise<Info> {
  const answer = await ask({ path: socketPath, command: "show info", timeoutMs: ANSWER_TIMEOUT_MS, signal });
  const fields = new Map(
    answer.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
  const pid = Number(fields.get("Pid"));
  if (!Number.isInteger(pid) || pid <= 0) {
    throw new Error(`${socketPath}: not an answer of HAProxy: ${JSON.stringify(answer.slice(0, 100))}`);
  }
  return {
    version: fields.get("Version") ?? "",
    pid,
    uptimeSec: Number(fields.get("Uptime_sec")),
    stopping: fields.get("Stopping") === "1",
    stamp: parseStamp(fields.get("description") ?? ""),
  };
}

/** Columns of `show servers state` version 1, counted from 0. */
const COLUMN = { backend: 1, server: 3, address: 4, port: 18 } as const;

/**
 * Lists the servers that the worker has.
 * @throws Error when it does not answer, or with something else than version 1 of the format.
 */
export async function readServers(
  socketPath: string,
  signal?: AbortSignal,
): Promise<readonly RunningServer[]> {
  const command = "show servers state";
  const answer = await ask({ path: socketPath, command, timeoutMs: 2 * ANSWER_TIMEOUT_MS, signal });
  const [version, ...lines] = answer.split("\n");
  if (version !== "1")
    throw new Error(`${socketPath}: ${command}: unknown format ${JSON.stringify(version)}`);
  return lines.flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const columns = line.split(" ");
    const [backend, name] = [columns[COLUMN.backend], columns[COLUMN.server]];
    if (backend === undefined || name === undefined) return [];
    return [{ backend, name, address: columns[COLUMN.address] ?? "-", port: Number(columns[COLUMN.port]) }];
  });
}

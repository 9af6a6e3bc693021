import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { composeEnv } from "../../scripts/lab/image-env.ts";
import type { StatusJson } from "../../src/observe/status-json.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** A request that a paused container gets waits for half a minute. */
const ANSWER_MS = 5000;
const ROOT = join(import.meta.dirname, "../..");

/** A running project of Docker Compose with Rollcall's image as the service `lb`. */
export interface ComposeProject extends AsyncDisposable {
  /** Also the first part of its containers' and networks' names. */
  readonly name: string;
  /** http://127.0.0.1:PORT of HAProxy's frontend. */
  readonly url: string;
  /** Runs `docker compose …` in this project and resolves with what it prints on stdout. */
  compose(...args: readonly string[]): Promise<string>;
  /** Full ids of a service's containers that run, sorted by their number. */
  ids(service: string): Promise<readonly string[]>;
  status(): Promise<StatusJson>;
  /** The text of /readyz. */
  readyz(): Promise<string>;
  /** The servers that HAProxy has, as BACKEND/NAME. */
  inHaproxy(): Promise<readonly string[]>;
  /** What the servers call themselves in the header x-server, sorted, over `requests` requests; "503" for no server. */
  served(requests?: number): Promise<readonly string[]>;
  /** Resolves when exactly these servers answer. */
  untilServed(names: readonly string[], options?: { timeoutMs?: number; requests?: number }): Promise<void>;
}

/**
 * Runs `docker compose up --build` with this file and flags, on free ports of the loopback address. The images that it
 * builds go with it; what they are made of stays in the engine's cache.
 */
export async function composeUp(given: {
  engine: { dockerHost: string };
  /** Relative to the top folder. */
  file: string;
  flags?: readonly string[];
}): Promise<ComposeProject> {
  const { engine, file, flags = [] } = given;
  const name = `rc-${randomBytes(3).toString("hex")}`;
  const [port, statusPort] = [await freePort(), await freePort()];
  const ports = { LB_PORT: String(port), STATUS_PORT: String(statusPort) };
  const env = { ...(await composeEnv(engine)), ...ports };
  const compose = async (...args: readonly string[]): Promise<string> => {
    const command = ["compose", "-p", name, "-f", join(ROOT, file), ...args];
    return (await execa("docker", command, { env, cwd: ROOT })).stdout;
  };
  const rollcall = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${statusPort}${path}`);
  const url = `http://127.0.0.1:${port}`;
  const ask = (path: string): Promise<Response> =>
    fetch(url + path, { headers: { connection: "close" }, signal: AbortSignal.timeout(ANSWER_MS) });
  const project: ComposeProject = {
    name,
    url,
    compose,
    ids: async (service) => {
      const rows = (await compose("ps", "--format", "{{.Name}} {{.ID}}", "--no-trunc", service)).split("\n");
      const numbered = rows.filter(Boolean).map((row) => row.split(" "));
      numbered.sort(([a = ""], [b = ""]) => a.localeCompare(b, "en", { numeric: true }));
      return numbered.map(([, id = ""]) => id);
    },
    status: async () => (await (await rollcall("/api/status")).json()) as StatusJson,
    readyz: async () => (await rollcall("/readyz")).text(),
    inHaproxy: async () => {
      const csv = await (await ask("/haproxy-stats;csv")).text();
      return [...csv.matchAll(/^([^,#]+),(?!FRONTEND|BACKEND)([^,]+),/gm)].map(
        ([, backend, server]) => `${backend}/${server}`,
      );
    },
    served: async (requests = 12) => {
      const names = new Set<string>();
      for (let request = 0; request < requests; request++) {
        const answer = await ask("/");
        await answer.text();
        names.add(answer.headers.get("x-server") ?? String(answer.status));
      }
      return [...names].toSorted();
    },
    untilServed: async (names, { timeoutMs = 30_000, requests } = {}) => {
      const wanted = names.toSorted().join(" ");
      await eventually(
        async () => {
          const found = (await project.served(requests)).join(" ");
          if (found !== wanted) throw new Error(`served: ${found}; wanted: ${wanted}`);
        },
        { timeoutMs },
      );
    },
    [Symbol.asyncDispose]: async () => {
      // For a moment the engine counts containers as part of a network that are gone already.
      const down = (): Promise<string> =>
        compose("down", "-v", "--rmi", "local", "--remove-orphans", "-t", "1");
      await eventually(down, { timeoutMs: 60_000, everyMs: 500 });
    },
  };
  try {
    await compose("up", "-d", "--build", ...flags);
    return project;
  } catch (error) {
    await project[Symbol.asyncDispose]();
    throw error;
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Child } from "../../scripts/lab/child.ts";
import type { StatusJson } from "../../src/observe/status-json.ts";
import { freePort } from "./free-port.ts";

const BIN = fileURLToPath(new URL("../../bin/rollcall", import.meta.url));

/** A real Rollcall daemon, started as users start it. */
export interface RollcallProcess extends AsyncDisposable {
  readonly pid: number;
  readonly alive: boolean;
  /** http://127.0.0.1:PORT */
  readonly url: string;
  status(): Promise<StatusJson>;
  /** Status code and text of an endpoint, `/readyz` for instance. */
  get(path: string): Promise<{ code: number; text: string }>;
  /** Resolves with the exit code or the signal's name. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Starts it again with the same options; ends it first if it still runs. */
  restart(): Promise<void>;
  /** The log so far, one object a line. */
  log(): Record<string, unknown>[];
}

/** Starts `rollcall run`, or another command that runs until it is ended; nothing is waited for. */
export async function startRollcall(given: {
  dir: string;
  options: Readonly<Record<string, string>>;
  /** "run" when not given. */
  command?: "run" | "register";
  /** A command that runs another one elsewhere in its own place, such as `nsenter`. */
  within?: readonly [string, ...string[]];
  /** Address at which it answers; 127.0.0.1 when not given. */
  host?: string;
}): Promise<RollcallProcess> {
  const { command = "run", within = [], host = "127.0.0.1" } = given;
  const port = await freePort();
  const logFile = join(given.dir, "rollcall.log");
  const flags = Object.entries({ http: `${host}:${port}`, "log-level": "debug", ...given.options }).flatMap(
    ([name, value]) => [`--${name}`, value],
  );
  const [program, ...words] = [...within, BIN, command, ...flags] as [string, ...string[]];
  const launch = (): Child => new Child({ command: [program, ...words], logFile });
  let child = launch();
  const url = `http://${host}:${port}`;
  const kill = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals> => {
    child.signal(signal);
    return child.exited;
  };
  return {
    get pid() {
      return child.pid;
    },
    get alive() {
      return child.alive;
    },
    url,
    status: async () => (await (await fetch(`${url}/api/status`)).json()) as StatusJson,
    get: async (path) => {
      const answer = await fetch(url + path);
      return { code: answer.status, text: await answer.text() };
    },
    kill,
    restart: async () => {
      if (child.alive) await kill("SIGKILL");
      child = launch();
    },
    log: () =>
      readFileSync(logFile, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    [Symbol.asyncDispose]: async () => {
      if (child.alive) await kill("SIGKILL");
    },
  };
}

/** Runs one command of Rollcall to its end. */
export async function rollcall(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const result = await execa(BIN, [...args], {
    reject: false,
    timeout: 60_000,
    ...options,
  });
  return { code: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
}

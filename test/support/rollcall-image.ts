import { join } from "node:path";
import { execa } from "execa";
import { docker, dockerEnv } from "../../scripts/lab/docker-cli.ts";
import { imageEnv } from "../../scripts/lab/image-env.ts";
import { eventually } from "./eventually.ts";

const ROOT = join(import.meta.dirname, "../..");
const NAME = "local/rollcall:test";

/**
 * Builds Rollcall's image from this checkout and resolves with its name. About 15 s the first time; what has not
 * changed since then is in the engine's cache.
 */
export async function rollcallImage(engine: { dockerHost: string }): Promise<string> {
  // Without a value, an argument is taken from the environment; where that has none either, the default is.
  const args = ["--build-arg", "HAPROXY_IMAGE", "--build-arg", "NODE_IMAGE"];
  const env = { ...dockerEnv(engine), ...(await imageEnv(engine)) };
  const file = join(ROOT, "docker/Dockerfile");
  await execa("docker", ["build", "-q", "-t", NAME, ...args, "-f", file, ROOT], { env });
  return NAME;
}

/** One process of a container, as the container sees it. */
export interface ContainerProcess {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  /** S, R, Z ... as in proc(5). */
  readonly state: string;
  readonly command: string;
}

/** A container of Rollcall's image. */
export interface RollcallContainer extends AsyncDisposable {
  readonly id: string;
  /** Runs `docker ACTION … ID`. */
  act(...action: readonly string[]): Promise<string>;
  exec(...command: readonly string[]): Promise<string>;
  /** Standard output and error. */
  logs(): Promise<string>;
  /** Resolves with HAProxy's status code for `GET /`. */
  ask(): Promise<number>;
  /** Resolves when HAProxy answers with this status code. */
  untilAnswers(code: number): Promise<void>;
  /** The text of one of Rollcall's endpoints. */
  rollcall(path: string): Promise<string>;
  processes(): Promise<readonly ContainerProcess[]>;
  /** The process whose command line matches. @throws Error when there is none, or more than one. */
  process(command: RegExp): Promise<ContainerProcess>;
  /** Resolves with the exit code, when the container has ended. */
  ended(): Promise<number>;
}

/** Starts a container; `flags` are those of `docker run`. Waits for nothing. */
export async function runRollcall(
  engine: { dockerHost: string },
  given: { image: string; flags?: readonly string[]; command?: readonly string[] },
): Promise<RollcallContainer> {
  const { image, flags = [], command = [] } = given;
  const run = (...args: string[]): Promise<string> => docker(engine, ...args);
  const id = await run("run", "-d", ...flags, image, ...command);
  const fetchFrom = async (port: number, path: string): Promise<Response> => {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}\n{{end}}";
    const [address] = (await run("inspect", "-f", format, id)).split("\n");
    return fetch(`http://${address}:${port}${path}`, { headers: { connection: "close" } });
  };
  const container: RollcallContainer = {
    id,
    act: (...action) => run(...action, id),
    exec: (...args) => run("exec", id, ...args),
    logs: async () => (await execa("docker", ["logs", id], { env: dockerEnv(engine), all: true })).all,
    ask: async () => (await fetchFrom(6301, "/")).status,
    untilAnswers: (code) =>
      eventually(async () => {
        const found = await container.ask();
        if (found !== code) throw new Error(`it answers ${found}, not ${code}`);
      }),
    rollcall: async (path) => (await fetchFrom(8405, path)).text(),
    processes: async () => parseProcesses(await run("exec", id, "sh", "-c", LIST_PROCESSES)),
    process: async (wanted) => {
      const all = await container.processes();
      const found = all.filter((one) => wanted.test(one.command));
      const [only] = found;
      if (only !== undefined && found.length === 1) return only;
      throw new Error(`${found.length} processes match ${wanted} of ${JSON.stringify(all, null, 1)}`);
    },
    ended: async () => Number(await run("wait", id)),
    [Symbol.asyncDispose]: async () => void (await run("rm", "-fv", id)),
  };
  return container;
}

// Not every image has ps. A line for each process: pid, name in parentheses, state, parent | uid | command line.
const LIST_PROCESSES = `for p in /proc/[0-9]*; do
  read -r pid name state parent rest 2>/dev/null < $p/stat || continue
  echo "$pid $state $parent $(sed -n 's/^Uid:[^0-9]*\\([0-9]*\\).*/\\1/p' $p/status) $name $(tr '\\0' ' ' < $p/cmdline)"
done`;

function parseProcesses(text: string): ContainerProcess[] {
  return text.split("\n").flatMap((line) => {
    const [, pid, state, parent, uid, command] =
      /^(\d+) (\S) (\d+) (\d+) \([^)]*\) (.*)$/.exec(line.trim()) ?? [];
    if (pid === undefined || parent === undefined) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        uid: Number(uid),
        state: state ?? "",
        command: command ?? "",
      },
    ];
  });
}

import { createInterface } from "node:readline";
import { execa } from "execa";
import { dockerEnv } from "../../scripts/lab/docker-cli.ts";
import { eventually } from "./eventually.ts";

/** What Docker's events tell of one container; milliseconds since the epoch. */
export interface ContainerEvents {
  /** When it started, as the engine has noted it. */
  readonly startedAt: number;
  /** When `docker events` told that. */
  readonly toldAt: number;
}

/** Listens to `docker events` of a Compose project's containers. */
export interface EventFollower extends AsyncDisposable {
  /**
   * Resolves when the container has started.
   * @param id The first twelve digits.
   */
  of(id: string): Promise<ContainerEvents>;
}

/** What happens from now on is heard, also what happens before the stream is open. */
export function followEvents(engine: { dockerHost: string }, project: string): EventFollower {
  const heard = new Map<string, ContainerEvents>();
  const filters = [`label=com.docker.compose.project=${project}`, "type=container", "event=start"];
  const flags = filters.flatMap((filter) => ["--filter", filter]);
  const since = String(Math.floor(Date.now() / 1000));
  const args = ["events", "--since", since, ...flags, "--format", "{{.TimeNano}} {{.ID}}"];
  const child = execa("docker", args, { env: dockerEnv(engine), reject: false, buffer: false });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [nano = "", id = ""] = line.split(" ");
    heard.set(id.slice(0, 12), { startedAt: Number(BigInt(nano) / 1000n) / 1000, toldAt: Date.now() });
  });
  return {
    of: (id) =>
      eventually(() => {
        const found = heard.get(id);
        if (found === undefined) throw new Error(`docker events told nothing of ${id}`);
        return found;
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child;
    },
  };
}
